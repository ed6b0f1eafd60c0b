// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// fileSource reads counters from files in /proc/net.
type fileSource struct {
	root   fs.FS
	parser parser
	text   []byte // of the last file
}

// counterFile is a file with counters in /proc/net.
type counterFile struct {
	name   string
	source event.CounterSource
	part   string
	absent bool // may be absent: the kernel lacks the module or option
	parse  func(*parser, []event.Reading, event.Counter, []byte) ([]event.Reading, error)
}

// netnsFiles are the files that differ between namespaces.
func netnsFiles() []counterFile {
	return []counterFile{
		{name: "snmp", source: event.CounterProtocol, parse: (*parser).pairs},
		{name: "netstat", source: event.CounterProtocol, parse: (*parser).pairs},
		{name: "snmp6", source: event.CounterProtocol, absent: true, parse: (*parser).lines},
		{name: "stat/nf_conntrack", source: event.CounterConntrack, absent: true, parse: (*parser).columns},
		{name: "xfrm_stat", source: event.CounterXfrm, absent: true, parse: (*parser).lines},
	}
}

// softnetFile has the counters of CPUs. It is the same in every namespace.
func softnetFile() counterFile {
	return counterFile{name: "softnet_stat", source: event.CounterSoftnet, parse: (*parser).softnet}
}

// neighbourFiles have the counters of the neighbor tables, which all namespaces share. Only the
// initial namespace has these files (neigh_table_init, net/core/neighbour.c).
func neighbourFiles() []counterFile {
	return []counterFile{
		{name: "stat/arp_cache", source: event.CounterNeighbour, part: "arp_cache", parse: (*parser).columns},
		{name: "stat/ndisc_cache", source: event.CounterNeighbour, part: "ndisc_cache", absent: true, parse: (*parser).columns},
	}
}

// read appends the counters of a file in the /proc/net at dir. With an error it appends none.
func (f *fileSource) read(dst []event.Reading, dir string, file counterFile, netns event.Netns) ([]event.Reading, error) {
	name := dir + "/" + file.name
	if err := f.load(name); err != nil {
		if file.absent && errors.Is(err, fs.ErrNotExist) {
			return dst, nil
		}
		return dst, fmt.Errorf("read %s counters: %w", file.source, err)
	}
	counter := event.Counter{Source: file.source, Netns: netns, Part: file.part}
	more, err := file.parse(&f.parser, dst, counter, f.text)
	if err != nil {
		return dst, fmt.Errorf("read %s counters: /%s %w", file.source, name, err)
	}
	return more, nil
}

// load reads a file into f.text and reuses its memory.
func (f *fileSource) load(name string) error {
	file, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	f.text = f.text[:0]
	for {
		if len(f.text) == cap(f.text) {
			f.text = append(f.text, make([]byte, 16<<10)...)[:len(f.text)]
		}
		n, err := file.Read(f.text[len(f.text):cap(f.text)])
		f.text = f.text[:len(f.text)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
