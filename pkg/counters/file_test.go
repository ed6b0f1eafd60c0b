// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func text(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

var update = flag.Bool("update", false, "rewrite the golden files")

// TestCounterFiles reads the files of several kernels. No two numbers in them are alike.
func TestCounterFiles(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(err, paths)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			root := fstest.MapFS{}
			for _, f := range archive.Files {
				root[f.Name] = &fstest.MapFile{Data: f.Data}
			}
			got := spell(readAll(t, root))
			want := &archive.Files[len(archive.Files)-1]
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if d := cmp.Diff(string(want.Data), got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// counterFiles returns all files of counters.
func counterFiles() []counterFile {
	return append(append(netnsFiles(), softnetFile()), neighbourFiles()...)
}

// readAll reads every file below proc/1/net twice, and returns the second readings.
func readAll(t *testing.T, root fs.FS) (readings []event.Reading) {
	t.Helper()
	files := fileSource{root: root}
	for range 2 {
		readings = nil
		for _, file := range counterFiles() {
			var err error
			if readings, err = files.read(readings, "proc/1/net", file, event.Netns{Inode: 7}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return readings
}

func spell(readings []event.Reading) string {
	var b strings.Builder
	for _, r := range readings {
		fmt.Fprintln(&b, strings.Join(strings.Fields(fmt.Sprintln(r.Source, r.Part, r.Name, r.Value)), " "))
	}
	return b.String()
}

// TestCounterFileErrors: a file that is wrong yields an error that says where, and no
// reading; one that may be absent yields neither.
func TestCounterFileErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"snmp", "Udp: NoPorts InErrors\nUdp: 1\n", `read protocol counters: /proc/1/net/snmp line 2: group "Udp": invalid or missing value`},
		{"netstat", "TcpExt: ListenDrops\nIpExt: 1\n", `read protocol counters: /proc/1/net/netstat line 1: names of group "TcpExt", values of "IpExt"`},
		{"snmp6", "Ip6InDiscards x\n", `read protocol counters: /proc/1/net/snmp6 line 1: invalid value in "Ip6InDiscards x"`},
		{"xfrm_stat", "XfrmInError 1\nXfrmInNoPols\n", `read xfrm counters: /proc/1/net/xfrm_stat line 2: invalid value in "XfrmInNoPols"`},
		{"softnet_stat", "00000000 00000001\n", `read softnet counters: /proc/1/net/softnet_stat line 1: time_squeeze: invalid number ""`},
		{"stat/nf_conntrack", "entries drop\n00000001 0000000g\n", `read conntrack counters: /proc/1/net/stat/nf_conntrack line 2: column drop: invalid number "0000000g"`},
		{"stat/arp_cache", "", `read neighbour counters: open proc/1/net/stat/arp_cache: file does not exist`},
		{"stat/ndisc_cache", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := fstest.MapFS{}
			if test.text != "" {
				root["proc/1/net/"+test.name] = text(test.text)
			}
			files := fileSource{root: root}
			for _, f := range counterFiles() {
				if f.name != test.name {
					continue
				}
				readings, err := files.read(nil, "proc/1/net", f, event.Netns{})
				if got := fmt.Sprint(err); got != test.want && !(err == nil && test.want == "") || len(readings) != 0 {
					t.Errorf("%d readings, error\n%s, want\n%s", len(readings), got, test.want)
				}
			}
		})
	}
}

// TestSoftnetBefore510 had neither the CPU's number nor later columns.
func TestSoftnetBefore510(t *testing.T) {
	row := strings.Repeat("00000000 ", 10) + "00000005\n"
	var p parser
	readings, err := p.softnet(nil, event.Counter{Source: event.CounterSoftnet}, []byte(row+row))
	if err != nil {
		t.Fatal(err)
	}
	want := "softnet cpu 0 dropped 0\nsoftnet cpu 0 time_squeeze 0\nsoftnet cpu 0 flow_limit 5\n" +
		"softnet cpu 1 dropped 0\nsoftnet cpu 1 time_squeeze 0\nsoftnet cpu 1 flow_limit 5\n"
	if d := cmp.Diff(want, spell(readings)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func FuzzCounterFiles(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		f.Fatal(err, paths)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			name := strings.TrimPrefix(file.Name, "proc/1/net/")
			i := slices.IndexFunc(counterFiles(), func(c counterFile) bool { return c.name == name })
			if i >= 0 {
				f.Add(uint8(i), file.Data)
			}
		}
	}
	files := counterFiles()
	f.Fuzz(func(t *testing.T, which uint8, text []byte) {
		file := files[int(which)%len(files)]
		var p parser
		for range 2 { // the second time with names kept
			readings, err := file.parse(&p, nil, event.Counter{Source: file.source}, text)
			if err != nil && readings != nil {
				t.Errorf("%s: readings beside %v", file.name, err)
			}
			for _, r := range readings {
				if r.Name == "" || r.Name != event.Printable(r.Name) {
					t.Errorf("%s: %+v", file.name, r)
				}
			}
		}
	})
}
