// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"debug/elf"
	"debug/gosym"
	"os"
	"testing"
)

const goSource = `
package main
import "fmt"
func main() { fmt.Println("hello") }
`

// openBoth opens a file for this package and for the standard library.
func openBoth(t *testing.T, path string) (*image, *elf.File) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := readImage(file, 64<<20)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return img, theirs
}

// offset returns where in the file the code at an address is.
func offset(t *testing.T, file *elf.File, addr uint64) uint64 {
	t.Helper()
	for _, p := range file.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr < p.Vaddr+p.Filesz {
			return addr - p.Vaddr + p.Off
		}
	}
	t.Fatalf("%x is not code", addr)
	return 0
}

// TestAsGosym compares every function of a stripped Go program with debug/gosym.
func TestAsGosym(t *testing.T) {
	for _, mode := range []string{"exe", "pie"} {
		t.Run(mode, func(t *testing.T) {
			t.Setenv("CGO_ENABLED", "0")
			img, file := openBoth(t, compile(t, goSource, "go.go", "-buildmode="+mode, "-ldflags=-s -w"))
			section := file.Section(".gopclntab")
			data, err := section.Data()
			if err != nil {
				t.Fatal(err)
			}
			table, err := gosym.NewTable(nil, gosym.NewLineTable(data, file.Section(".text").Addr))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range table.Funcs {
				for _, addr := range []uint64{f.Entry, f.End - 1} {
					name, from, ok := img.lookup(offset(t, file, addr))
					if !ok || string(name) != f.Name || from != addr-f.Entry {
						t.Fatalf("%x: %s+%x, want %s+%x", addr, name, from, f.Name, addr-f.Entry)
					}
				}
			}
			if len(table.Funcs) < 1000 {
				t.Errorf("only %d functions", len(table.Funcs))
			}
		})
	}
}

// TestAsELF compares every function of a Go program with debug/elf.
func TestAsELF(t *testing.T) {
	img, file := openBoth(t, compile(t, goSource, "go.go", "-buildmode=exe"))
	symbols, err := file.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	names := map[uint64]map[string]bool{}
	for _, s := range symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Section != elf.SHN_UNDEF && s.Size > 0 {
			if names[s.Value] == nil {
				names[s.Value] = map[string]bool{}
			}
			names[s.Value][s.Name] = true
		}
	}
	for addr, aliases := range names {
		if name, from, ok := img.lookup(offset(t, file, addr)); !ok || !aliases[string(name)] || from != 0 {
			t.Fatalf("%x: %s+%x, want one of %v", addr, name, from, aliases)
		}
	}
	if len(names) < 1000 {
		t.Errorf("only %d functions", len(names))
	}
}
