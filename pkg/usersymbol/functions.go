// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"sort"
)

// functions are the functions of one file, at the virtual addresses in the file.
type functions struct {
	list  []function // sorted by start, which is unique
	names []byte     // each ends with a zero byte
}

type function struct {
	start uint64
	name  uint64 // offset in names; in the file until names are read
	size  uint32 // bytes; 0 if unknown
	local bool   // STB_LOCAL
}

const functionBytes = 24

// errTooLarge says that the symbols of a file exceed the memory limit.
var errTooLarge = errors.New("too many symbols")

// collector collects the functions of a file within a memory limit.
type collector struct {
	file  io.ReaderAt
	limit int // bytes
	list  []function
}

// expect allocates memory for count functions, or for as many as the limit allows.
func (c *collector) expect(count uint64) {
	most := c.limit / functionBytes
	c.list = slices.Grow(c.list, int(min(count, uint64(max(most, 0)))))
}

func (c *collector) add(f function) error {
	if (len(c.list)+1)*functionBytes > c.limit {
		return errTooLarge
	}
	c.list = append(c.list, f)
	return nil
}

// functions reads the names and sorts the functions by address.
func (c *collector) functions() (*functions, error) {
	// Sorting by the offset of the name makes reads sequential. The first pass adds up the
	// lengths, the second keeps the names.
	slices.SortFunc(c.list, func(a, b function) int { return cmp.Compare(a.name, b.name) })
	total := 0
	file := window{r: c.file}
	for _, f := range c.list {
		total += len(file.name(f.name)) + 1
		if len(c.list)*functionBytes+total > c.limit {
			return nil, errTooLarge
		}
	}
	f := &functions{names: make([]byte, 0, total)}
	for i := range c.list {
		name := file.name(c.list[i].name)
		if len(f.names)+len(name) >= total {
			name = nil // the file changed between the passes
		}
		c.list[i].name = uint64(len(f.names))
		f.names = append(append(f.names, name...), 0)
	}
	slices.SortFunc(c.list, func(a, b function) int {
		if a.start != b.start {
			return cmp.Compare(a.start, b.start)
		}
		return f.compareAliases(a, b)
	})
	same := func(a, b function) bool { return a.start == b.start }
	f.list = slices.Clone(slices.CompactFunc(c.list, same))
	return f, nil
}

// compareAliases orders the names of one address, the best known first: write before __write
// and __GI___libc_write.
func (f *functions) compareAliases(a, b function) int {
	x, y := f.name(a), f.name(b)
	return cmp.Or(
		compareBool(a.size == 0, b.size == 0),
		compareBool(a.local, b.local),
		cmp.Compare(underscores(x), underscores(y)),
		cmp.Compare(len(x), len(y)),
		bytes.Compare(x, y),
	)
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func underscores(name []byte) int { return len(name) - len(bytes.TrimLeft(name, "_")) }

func (f *functions) name(of function) []byte {
	name := f.names[of.name:]
	return name[:bytes.IndexByte(name, 0)]
}

// lookup returns the function that contains an address.
func (f *functions) lookup(addr uint64) (found function, ok bool) {
	i := sort.Search(len(f.list), func(i int) bool { return f.list[i].start > addr })
	if i == 0 {
		return function{}, false
	}
	found = f.list[i-1]
	return found, found.size == 0 || addr-found.start < uint64(found.size)
}

// named returns the first function whose name satisfies is.
func (f *functions) named(is func(name []byte) bool) (function, bool) {
	for _, candidate := range f.list {
		if is(f.name(candidate)) {
			return candidate, true
		}
	}
	return function{}, false
}

// bytes returns the memory that the functions use.
func (f *functions) bytes() int { return cap(f.list)*functionBytes + cap(f.names) }
