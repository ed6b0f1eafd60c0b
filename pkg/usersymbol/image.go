// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"debug/elf"
	"io"
)

// fileID tells a file from all others, and from what it was before it changed.
type fileID struct {
	device, inode  uint64
	size           int64
	mtime, changed int64 // ns since 1970
}

// image is a file that is mapped as code, with its functions. It is immutable.
type image struct {
	code   []elf.Prog64
	tables []*functions
}

// readImage reads the functions of an ELF file: those of its symbol tables, or, in
// a Go program without, of its pclntab. They may take up so many bytes. A table
// that is larger or damaged is left out, and its functions have no names.
func readImage(r io.ReaderAt, limit int) (*image, error) {
	f, err := readELF(r)
	if err != nil {
		return nil, err
	}
	if _, ok := f.ofType(elf.SHT_SYMTAB); ok {
		if all, err := f.functions(limit, elf.SHT_SYMTAB, elf.SHT_DYNSYM); err == nil {
			return &image{f.code, []*functions{all}}, nil
		}
	}
	exported, err := f.functions(limit, elf.SHT_DYNSYM)
	if err != nil {
		exported = &functions{}
	}
	img := &image{f.code, []*functions{exported}}
	if goes, err := f.goFunctions(limit-exported.bytes(), exported); err == nil {
		img.tables = append(img.tables, goes)
	}
	return img, nil
}

// lookup names the byte at an offset in the file.
func (img *image) lookup(offset uint64) (name []byte, from uint64, ok bool) {
	addr, ok := address(img.code, offset)
	if !ok {
		return nil, 0, false
	}
	for _, table := range img.tables {
		if f, ok := table.lookup(addr); ok {
			return table.name(f), addr - f.start, true
		}
	}
	return nil, 0, false
}

// bytes is about what the image takes up.
func (img *image) bytes() int {
	total := 256 + 64*len(img.code)
	for _, table := range img.tables {
		total += table.bytes()
	}
	return total
}
