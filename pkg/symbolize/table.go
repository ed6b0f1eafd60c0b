// SPDX-License-Identifier: Apache-2.0

// Package symbolize maps code addresses of the kernel, its modules and BPF programs to
// symbols.
package symbolize

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"
)

// Symbol is the name of an address.
type Symbol struct {
	Name   string
	Offset uint64 // of the address from the symbol's start
	Module string // "vmlinux", a module's name, or "bpf" for a BPF program
}

// Range is the addresses from Start up to but not including End.
type Range struct{ Start, End uint64 }

// Table maps addresses to the functions of a kernel, its modules and its BPF programs. It is
// immutable except for its bounds.
type Table struct {
	starts  []uint64 // sorted
	names   []uint32 // offsets of the names in strings, which end at a newline
	modules []uint16 // indexes of module
	strings []byte
	module  []string
	text    Range
	init    Range // of code that runs when the kernel starts
	hidden  bool
	bounds
}

const (
	vmlinux      = "vmlinux"
	usualSymbols = 1 << 17 // initial capacity, enough for most kernels
)

// ParseKallsyms reads a table in the format of /proc/kallsyms: address, type, name and, for
// a symbol outside the kernel image, the module in brackets. It returns an error for any
// other line and for more than 65535 modules.
func ParseKallsyms(r io.Reader) (*Table, error) { return parseKallsyms(r, usualSymbols) }

// parseKallsyms reads the table. room is the number of symbols to allocate memory for
// initially.
func parseKallsyms(r io.Reader, room int) (*Table, error) {
	t := &Table{
		starts: make([]uint64, 0, room), names: make([]uint32, 0, room),
		modules: make([]uint16, 0, room), strings: make([]byte, 0, 32*room),
		module: []string{vmlinux}, hidden: true,
	}
	modules := map[string]uint16{vmlinux: 0}
	sorted := true
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		addr, kind, name, module, err := parseLine(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("kallsyms line %d: %w", n, err)
		}
		t.hidden = t.hidden && addr == 0
		switch {
		case len(module) > 0:
		case string(name) == "_stext":
			t.text.Start = addr
		case string(name) == "_etext":
			t.text.End = addr
		case string(name) == "_sinittext":
			t.init.Start = addr
		case string(name) == "_einittext":
			t.init.End = addr
		}
		if kind|0x20 != 't' && kind|0x20 != 'w' {
			continue
		}
		id, known := modules[string(module)]
		if len(module) == 0 {
			id, known = 0, true
		}
		if !known {
			if len(t.module) > math.MaxUint16 {
				return nil, fmt.Errorf("kallsyms line %d: more than %d modules", n, math.MaxUint16)
			}
			id = uint16(len(t.module))
			modules[string(module)] = id
			t.module = append(t.module, string(module))
		}
		if last := len(t.starts) - 1; last >= 0 && t.starts[last] > addr {
			sorted = false
		}
		t.starts = append(t.starts, addr)
		t.names = append(t.names, uint32(len(t.strings)))
		t.modules = append(t.modules, id)
		t.strings = append(append(t.strings, name...), '\n')
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read kallsyms: %w", err)
	}
	if !sorted {
		sort.Stable(byStart{t})
	}
	return t, nil
}

// parseLine splits "ffffffff81000000 T _stext" or "… t init_once\t[veth]".
func parseLine(line []byte) (addr uint64, kind byte, name, module []byte, err error) {
	hex, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(rest) < 3 || rest[1] != ' ' {
		return 0, 0, nil, nil, fmt.Errorf("%q is not a symbol", line)
	}
	if addr, err = ParseHex(hex); err != nil {
		return 0, 0, nil, nil, err
	}
	name, module, ok = bytes.Cut(rest[2:], []byte{'\t'})
	if ok {
		module = bytes.TrimSuffix(bytes.TrimPrefix(module, []byte{'['}), []byte{']'})
	}
	return addr, rest[0], name, module, nil
}

// ParseHex reads a lower-case hexadecimal number of up to 64 bits without a prefix, as the
// files in /proc have addresses. It does not allocate.
func ParseHex(hex []byte) (uint64, error) {
	var v uint64
	for _, c := range hex {
		var digit byte
		switch {
		case c >= '0' && c <= '9':
			digit = c - '0'
		case c >= 'a' && c <= 'f':
			digit = c - 'a' + 10
		default:
			return 0, fmt.Errorf("invalid address %q", hex)
		}
		v = v<<4 | uint64(digit)
	}
	if len(hex) == 0 || len(hex) > 16 {
		return 0, fmt.Errorf("invalid address %q", hex)
	}
	return v, nil
}

// Hidden reports whether all addresses were 0, as kernel.kptr_restrict demands.
func (t *Table) Hidden() bool { return t.hidden }

// Len returns the number of functions.
func (t *Table) Len() int { return len(t.starts) }

// Text returns the address range of the kernel image's code, from _stext to _etext.
func (t *Table) Text() Range { return t.text }

// Find returns the address of the first function of that name.
func (t *Table) Find(name string) (uint64, bool) {
	for i, at := range t.names {
		if rest, ok := bytes.CutPrefix(t.strings[at:], []byte(name)); ok && len(rest) > 0 && rest[0] == '\n' {
			return t.starts[i], true
		}
	}
	return 0, false
}

// Lookup names a return address. It looks up the byte before the address, because a call
// that does not return may be the last instruction of its function. If that byte is padding
// and a function begins at the address, Lookup returns that function.
//
// Code outside known functions, the image and the modules has the symbol "[bpf]".
func (t *Table) Lookup(addr uint64) (Symbol, bool) {
	if t.hidden || addr == 0 {
		return Symbol{}, false
	}
	i := t.covering(addr - 1)
	if i < 0 {
		return t.elsewhere(addr - 1)
	}
	name := t.name(i)
	if of, isPadding := strings.CutPrefix(name, padding); isPadding {
		if j := t.covering(addr); j >= 0 && t.starts[j] == addr && t.name(j) == of {
			i, name = j, of
		}
	}
	return Symbol{name, addr - t.starts[i], t.module[t.modules[i]]}, true
}

// padding is the prefix of the symbols for the padding before functions on x86 with
// CONFIG_CALL_PADDING, since 6.2 (scripts/mod/modpost.c, tools/objtool).
const padding = "__pfx_"

// covering returns the index of the function that contains an address, or -1.
func (t *Table) covering(addr uint64) int {
	i, found := slices.BinarySearchFunc(t.starts, addr, cmp.Compare[uint64])
	if !found {
		i--
	}
	if i < 0 {
		return -1
	}
	for i > 0 && t.starts[i-1] == t.starts[i] {
		i-- // the first listed of several names
	}
	if addr >= t.end(t.starts[i], t.name(i), t.module[t.modules[i]]) {
		return -1
	}
	return i
}

// startingAt returns the name of the function that begins at an address, or "".
func (t *Table) startingAt(addr uint64) string {
	if i, found := slices.BinarySearchFunc(t.starts, addr, cmp.Compare[uint64]); found {
		return t.name(i)
	}
	return ""
}

func (t *Table) name(i int) string {
	name := t.strings[t.names[i]:]
	return string(name[:bytes.IndexByte(name, '\n')])
}

type byStart struct{ *Table }

func (b byStart) Len() int           { return len(b.starts) }
func (b byStart) Less(i, j int) bool { return b.starts[i] < b.starts[j] }
func (b byStart) Swap(i, j int) {
	b.starts[i], b.starts[j] = b.starts[j], b.starts[i]
	b.names[i], b.names[j] = b.names[j], b.names[i]
	b.modules[i], b.modules[j] = b.modules[j], b.modules[i]
}
