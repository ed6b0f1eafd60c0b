// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"debug/elf"
	"fmt"
)

// functions reads the functions of symbol tables, .symtab or .dynsym. They use at most limit
// bytes.
func (f *elfFile) functions(limit int, kinds ...elf.SectionType) (*functions, error) {
	c := collector{file: f.r, limit: limit}
	for _, kind := range kinds {
		if err := f.collect(kind, &c); err != nil {
			return nil, err
		}
	}
	return c.functions()
}

func (f *elfFile) collect(kind elf.SectionType, c *collector) error {
	table, ok := f.ofType(kind)
	if !ok {
		return nil
	}
	if int(table.Link) >= len(f.sections) {
		return fmt.Errorf("no section %d for the names of %v", table.Link, kind)
	}
	names := f.sections[table.Link].Off
	size := uint64(elf.Sym32Size)
	if f.wide {
		size = elf.Sym64Size
	}
	c.expect(table.Size / size)
	w := window{r: f.r}
	for at := uint64(0); at+size <= table.Size; at += size {
		b := w.at(table.Off+at, int(size))
		if len(b) < int(size) {
			return fmt.Errorf("%v is cut", kind)
		}
		s := f.symbol(b)
		switch elf.ST_TYPE(s.Info) {
		case elf.STT_FUNC, elf.STT_GNU_IFUNC:
		default:
			continue
		}
		if elf.SectionIndex(s.Shndx) == elf.SHN_UNDEF || s.Name == 0 {
			continue
		}
		if err := c.add(function{
			start: s.Value, name: names + uint64(s.Name), size: uint32(min(s.Size, 1<<32-1)),
			local: elf.ST_BIND(s.Info) == elf.STB_LOCAL,
		}); err != nil {
			return err
		}
	}
	return nil
}

// symbol decodes a symbol without reflection, because a file has hundreds of thousands.
func (f *elfFile) symbol(b []byte) elf.Sym64 {
	if f.wide {
		return elf.Sym64{
			Name: f.order.Uint32(b), Info: b[4], Shndx: f.order.Uint16(b[6:]),
			Value: f.order.Uint64(b[8:]), Size: f.order.Uint64(b[16:]),
		}
	}
	return elf.Sym64{
		Name: f.order.Uint32(b), Value: uint64(f.order.Uint32(b[4:])), Size: uint64(f.order.Uint32(b[8:])),
		Info: b[12], Shndx: f.order.Uint16(b[14:]),
	}
}
