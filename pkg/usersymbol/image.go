// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"debug/elf"
	"io"
)

// fileID identifies a file and its version.
type fileID struct {
	device, inode  uint64
	size           int64 // bytes
	mtime, changed int64 // ns since the epoch; changed is ctime
}

// image is the code of a mapped file and its functions. It is immutable.
type image struct {
	code   []elf.Prog64
	tables []*functions
}

// readImage reads the functions of an ELF file from its symbol tables, or from the pclntab of
// a Go program without .symtab. They use at most limit bytes. readImage leaves out a table
// that is larger or damaged; its functions have no names then.
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

// lookup returns the function at a file offset. from is the distance from its start.
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

// bytes returns the approximate memory that the image uses.
func (img *image) bytes() int {
	total := 256 + 64*len(img.code)
	for _, table := range img.tables {
		total += table.bytes()
	}
	return total
}
