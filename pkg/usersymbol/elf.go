// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// elfFile holds the required headers of an ELF file. debug/elf has the types, but its reader
// allocates as much memory as a hostile file demands.
type elfFile struct {
	r        io.ReaderAt
	order    binary.ByteOrder
	wide     bool // ELF64
	header   elf.Header64
	code     []elf.Prog64 // loaded executable segments
	sections []elf.Section64
}

// maxCode is the largest number of executable segments of a file; usual files have one or
// two.
const maxCode = 64

func readELF(r io.ReaderAt) (*elfFile, error) {
	ident := make([]byte, elf.EI_NIDENT)
	if _, err := r.ReadAt(ident, 0); err != nil || string(ident[:len(elf.ELFMAG)]) != elf.ELFMAG {
		return nil, fmt.Errorf("not an ELF file: %q", ident)
	}
	f := &elfFile{r: r, order: binary.LittleEndian, wide: elf.Class(ident[elf.EI_CLASS]) == elf.ELFCLASS64}
	if elf.Data(ident[elf.EI_DATA]) == elf.ELFDATA2MSB {
		f.order = binary.BigEndian
	}
	if err := f.readHeader(); err != nil {
		return nil, err
	}
	h := &f.header
	if err := f.each(h.Phoff, h.Phnum, h.Phentsize, func(b []byte) error {
		p, err := f.program(b)
		if elf.ProgType(p.Type) == elf.PT_LOAD && elf.ProgFlag(p.Flags)&elf.PF_X != 0 {
			f.code = append(f.code, p)
		}
		if len(f.code) > maxCode {
			return errTooLarge
		}
		return err
	}); err != nil {
		return nil, fmt.Errorf("read program headers: %w", err)
	}
	if err := f.each(h.Shoff, h.Shnum, h.Shentsize, func(b []byte) error {
		s, err := f.section(b)
		f.sections = append(f.sections, s)
		return err
	}); err != nil {
		return nil, fmt.Errorf("read section headers: %w", err)
	}
	return f, nil
}

// decode reads a structure in the file's byte order.
func (f *elfFile) decode(b []byte, into any) error {
	_, err := binary.Decode(b, f.order, into)
	return err
}

func (f *elfFile) readHeader() error {
	b := make([]byte, binary.Size(elf.Header64{}))
	n, _ := f.r.ReadAt(b, 0)
	if f.wide {
		return f.decode(b[:n], &f.header)
	}
	var h elf.Header32
	if err := f.decode(b[:n], &h); err != nil {
		return err
	}
	f.header = elf.Header64{
		Entry: uint64(h.Entry), Phoff: uint64(h.Phoff), Phnum: h.Phnum, Phentsize: h.Phentsize,
		Shoff: uint64(h.Shoff), Shnum: h.Shnum, Shentsize: h.Shentsize, Shstrndx: h.Shstrndx,
	}
	return nil
}

// each calls do with every entry of a table. An ELF header counts at most 65535.
func (f *elfFile) each(offset uint64, count, size uint16, do func([]byte) error) error {
	w := window{r: f.r}
	for i := range uint64(count) {
		if err := do(w.at(offset+i*uint64(size), int(size))); err != nil {
			return err
		}
	}
	return nil
}

func (f *elfFile) program(b []byte) (elf.Prog64, error) {
	var wide elf.Prog64
	if f.wide {
		return wide, f.decode(b, &wide)
	}
	var p elf.Prog32
	err := f.decode(b, &p)
	return elf.Prog64{
		Type: p.Type, Flags: p.Flags, Off: uint64(p.Off), Vaddr: uint64(p.Vaddr), Filesz: uint64(p.Filesz),
	}, err
}

func (f *elfFile) section(b []byte) (elf.Section64, error) {
	var wide elf.Section64
	if f.wide {
		return wide, f.decode(b, &wide)
	}
	var s elf.Section32
	err := f.decode(b, &s)
	return elf.Section64{
		Name: s.Name, Type: s.Type, Flags: uint64(s.Flags), Addr: uint64(s.Addr), Off: uint64(s.Off),
		Size: uint64(s.Size), Link: s.Link, Entsize: uint64(s.Entsize),
	}, err
}

// ofType returns the first section of a type that is not compressed.
func (f *elfFile) ofType(kind elf.SectionType) (elf.Section64, bool) {
	for _, s := range f.sections {
		if elf.SectionType(s.Type) == kind && elf.SectionFlag(s.Flags)&elf.SHF_COMPRESSED == 0 {
			return s, true
		}
	}
	return elf.Section64{}, false
}

// named returns the first SHT_PROGBITS section with one of the names.
func (f *elfFile) named(names ...string) (elf.Section64, bool) {
	if int(f.header.Shstrndx) < len(f.sections) {
		table := f.sections[f.header.Shstrndx].Off
		w := window{r: f.r}
		for _, s := range f.sections {
			if elf.SectionType(s.Type) == elf.SHT_PROGBITS && slices.Contains(names, string(w.name(table+uint64(s.Name)))) {
				return s, true
			}
		}
	}
	return elf.Section64{}, false
}

// address returns the virtual address of the byte at a file offset.
func address(code []elf.Prog64, offset uint64) (uint64, bool) {
	for _, p := range code {
		if offset >= p.Off && offset-p.Off < p.Filesz {
			return offset - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}
