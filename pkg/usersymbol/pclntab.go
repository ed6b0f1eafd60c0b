// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
)

// The Go runtime needs a table of functions, pclntab, which stays when symbols are stripped.
// debug/gosym reads it too, but uses several times its size in memory (26 MB of table and
// 32 MB for 100 000 functions).
//
// The table begins with a header: magic, two zero bytes, the minimum size of an instruction,
// the size of a pointer, then words of that size. See pcHeader, _func and functab in Go's
// runtime/symtab.go and runtime2.go.
const (
	magicGo118 = 0xfffffff0
	magicGo120 = 0xfffffff1 // still in Go 1.26

	headerFunctions = 0 // number of functions
	headerText      = 2 // runtime.text before Go 1.26, 0 in position-independent programs
	headerNames     = 3 // offset of the functions' names
	headerTable     = 7 // offset of the table of functions
	headerWords     = 8

	moduleText = 22 // index of the word with runtime.text in moduledata, since Go 1.16
)

var errNotPclntab = errors.New("not a pclntab of Go 1.18 or later")

// pclntab is a table and its place in the file.
type pclntab struct {
	file   *elfFile
	offset uint64
	words  [headerWords]uint64
}

// goFunctions reads the functions of a Go program. They use at most limit bytes. exported are
// the functions of its .dynsym. Position-independent programs with cgo built before Go 1.26
// have no section of that name; their functions have names only in an unstripped file.
func (f *elfFile) goFunctions(limit int, exported *functions) (*functions, error) {
	section, ok := f.named(".gopclntab", ".data.rel.ro.gopclntab")
	if !ok {
		return nil, errNotPclntab
	}
	p, err := readPclntab(f, section)
	if err != nil {
		return nil, err
	}
	c := collector{file: f.r, limit: limit}
	if err := p.collect(&c); err != nil {
		return nil, err
	}
	table, err := c.functions()
	if err != nil {
		return nil, err
	}
	text, ok := p.text(table, exported)
	if !ok {
		return nil, errors.New("unknown start of Go's code")
	}
	for i := range table.list {
		table.list[i].start += text
	}
	return table, nil
}

func readPclntab(f *elfFile, section elf.Section64) (*pclntab, error) {
	p := &pclntab{file: f, offset: section.Off}
	w := window{r: f.r}
	b := w.at(section.Off, 8+8*headerWords)
	if len(b) < 8+8*headerWords || b[4] != 0 || b[5] != 0 || int(b[7]) != f.pointer() {
		return nil, errNotPclntab
	}
	if magic := f.order.Uint32(b); magic != magicGo118 && magic != magicGo120 {
		return nil, errNotPclntab
	}
	for i := range p.words {
		p.words[i] = f.word(b[8+i*f.pointer():])
	}
	return p, nil
}

func (f *elfFile) pointer() int {
	if f.wide {
		return 8
	}
	return 4
}

func (f *elfFile) word(b []byte) uint64 {
	if f.wide {
		return f.order.Uint64(b)
	}
	return uint64(f.order.Uint32(b))
}

// collect collects the functions, with addresses relative to runtime.text. The table holds
// the address of each function and the offset of its _func. A _func begins with the address
// and the offset of the name.
func (p *pclntab) collect(c *collector) error {
	table := p.offset + p.words[headerTable]
	names := p.offset + p.words[headerNames]
	entries, details := window{r: p.file.r}, window{r: p.file.r}
	previous := uint32(0)
	c.expect(p.words[headerFunctions])
	for i := range p.words[headerFunctions] {
		entry := entries.at(table+8*i, 12)
		if len(entry) < 12 {
			return errors.New("pclntab is cut")
		}
		start, end := p.file.order.Uint32(entry), p.file.order.Uint32(entry[8:])
		at := p.file.order.Uint32(entry[4:])
		if end < start || at < previous {
			return fmt.Errorf("function %d of pclntab is out of order", i)
		}
		previous = at
		detail := details.at(table+uint64(at), 8)
		if len(detail) < 8 {
			return errors.New("pclntab is cut")
		}
		if err := c.add(function{
			start: uint64(start), size: end - start, name: names + uint64(p.file.order.Uint32(detail[4:])),
		}); err != nil {
			return err
		}
	}
	return nil
}

// text returns the address of runtime.text. The linker may put C code before it, and only some
// headers contain the address, so text accepts an address only if another value confirms it.
func (p *pclntab) text(goFunctions, exported *functions) (uint64, bool) {
	called := func(name string) func([]byte) bool {
		return func(other []byte) bool { return string(other) == name }
	}
	// Programs with cgo export crosscall2 to C code.
	if at, ok := exported.named(called("crosscall2")); ok {
		if of, ok := goFunctions.named(called("crosscall2")); ok {
			return at.start - of.start, true
		}
	}
	section, ok := p.file.named(".text")
	if !ok {
		return 0, false
	}
	// The entry point of programs without cgo is _rt0_ARCH_OS.
	rt0, ok := goFunctions.named(func(name []byte) bool { return bytes.HasPrefix(name, []byte("_rt0_")) })
	if ok && section.Addr+rt0.start == p.file.header.Entry {
		return section.Addr, true
	}
	inside := func(addr uint64) bool { return addr >= section.Addr && addr-section.Addr < section.Size }
	if text := p.words[headerText]; inside(text) {
		return text, true
	}
	if module, ok := p.file.named(".go.module"); ok { // since Go 1.26
		w := window{r: p.file.r}
		word := w.at(module.Off+uint64(moduleText*p.file.pointer()), p.file.pointer())
		if len(word) == p.file.pointer() && inside(p.file.word(word)) {
			return p.file.word(word), true
		}
	}
	return 0, false
}
