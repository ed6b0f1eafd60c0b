// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// mapping is an executable range of a process's addresses.
type mapping struct {
	symbolize.Range
	offset uint64 // in the file
	inode  uint64 // 0 without a file
	path   string // as the kernel prints it, relative to the root of the process
	module string

	id   fileID // zero until the file is opened
	lost bool   // the file cannot be opened
}

const (
	vdso    = "[vdso]"
	deleted = " (deleted)"
)

// errTooMany says that the mappings of a process exceed the memory limit.
var errTooMany = errors.New("too many executable mappings")

// parseMaps reads the executable mappings from /proc/PID/maps, sorted by address. It returns
// errTooMany if they use more than limit bytes.
func parseMaps(r io.Reader, limit int) ([]mapping, error) {
	var maps []mapping
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		m, executable, err := parseMapping(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("maps line %d: %w", n, err)
		}
		if !executable {
			continue
		}
		if limit -= m.bytes(); limit < 0 {
			return nil, errTooMany
		}
		maps = append(maps, m)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read maps: %w", err)
	}
	slices.SortFunc(maps, func(a, b mapping) int { return cmp.Compare(a.Start, b.Start) })
	return maps, nil
}

// parseMapping splits "55d0c0a00000-55d0c0a05000 r-xp 00002000 fe:01 1234   /bin/sleep".
func parseMapping(line []byte) (m mapping, executable bool, err error) {
	var fields [5][]byte
	rest := line
	for i := range fields {
		fields[i], rest, _ = bytes.Cut(rest, []byte{' '})
	}
	start, end, ok := bytes.Cut(fields[0], []byte{'-'})
	if !ok || len(fields[1]) != 4 {
		return mapping{}, false, fmt.Errorf("%q is not a mapping", line)
	}
	if fields[1][2] != 'x' {
		return mapping{}, false, nil
	}
	if m.Start, err = symbolize.ParseHex(start); err != nil {
		return mapping{}, false, err
	}
	if m.End, err = symbolize.ParseHex(end); err != nil {
		return mapping{}, false, err
	}
	if m.offset, err = symbolize.ParseHex(fields[2]); err != nil {
		return mapping{}, false, err
	}
	if m.inode, err = strconv.ParseUint(string(fields[4]), 10, 64); err != nil {
		return mapping{}, false, fmt.Errorf("invalid inode %q", fields[4])
	}
	m.path = string(bytes.TrimLeft(rest, " "))
	m.module = m.path
	if strings.HasPrefix(m.path, "/") {
		name := strings.TrimSuffix(m.path, deleted)
		m.module = name[strings.LastIndexByte(name, '/')+1:]
	}
	m.module = event.Text([]byte(m.module))
	return m, true, nil
}

// bytes returns the approximate memory that a mapping uses.
func (m *mapping) bytes() int { return 160 + len(m.path) + len(m.module) }

// hasCode reports whether the mapping is of a file or of the vDSO.
func (m *mapping) hasCode() bool { return m.inode != 0 || m.path == vdso }

// find returns the mapping that contains an address, or nil.
func find(maps []mapping, addr uint64) *mapping {
	i := sort.Search(len(maps), func(i int) bool { return maps[i].End > addr })
	if i == len(maps) || addr < maps[i].Start {
		return nil
	}
	return &maps[i]
}
