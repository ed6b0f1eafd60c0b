// SPDX-License-Identifier: Apache-2.0

// Package stackfile tells what a file of stacks is by its content, unpacks it, and says
// of files that hold no stacks what they are and what makes stacks of them. What it
// reads is bounded by what it was given: a small file that unpacks to a large one is an
// error.
package stackfile

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// Kind is what a file of stacks is.
type Kind string

// Kinds.
const (
	Recording Kind = "a recording"
	Profile   Kind = "a pprof profile"
	Folded    Kind = "folded stacks"
)

// File is a file of stacks.
type File struct {
	Kind Kind
	// Reader has the file's content: unpacked, but for a recording that is packed as
	// dropwatch packs it.
	io.Reader
	packed *counter
	head   []byte // of what is not packed, as far as signatures look
}

// ForeignError says that a file holds no stacks.
type ForeignError struct {
	What string // it is: "a perf.data file"
	Do   string // about it, a clause; may be empty
}

// Error returns both.
func (e *ForeignError) Error() string {
	if e.Do == "" {
		return "this is " + e.What + ", which holds no stacks"
	}
	return fmt.Sprintf("this is %s: %s", e.What, e.Do)
}

// headSize is how much of a file is looked at, packed and unpacked. A block of zstd
// unpacks to 128 KiB at most (RFC 8878, section 3.1.1.2.4).
const headSize = 192 << 10

// textSize is how much of it is searched for signatures of texts, so that it is soon over.
const textSize = 32 << 10

// Open begins to read a file. The error is that of reading, or a *ForeignError.
func Open(r io.Reader) (*File, error) {
	in := bufio.NewReaderSize(r, headSize)
	packed, err := in.Peek(headSize)
	whole := err == io.EOF
	if err != nil && !whole {
		return nil, err
	}
	f := &File{packed: &counter{r: in}}
	plain, packings, whole := unpackHead(packed, whole)
	if f.Kind, err = kindOf(plain, whole); err != nil {
		return nil, err
	}
	f.head = bytes.Clone(plain[:min(len(plain), textSize)])
	if f.Kind == Recording && (len(packings) == 0 || len(packings) == 1 && packings[0] == zstdPacking) {
		f.Reader = in
		return f, nil
	}
	f.Reader = f.packed
	for _, p := range packings {
		if f.Reader, err = p.reader(f.Reader); err != nil {
			return nil, err
		}
	}
	if len(packings) > 0 {
		f.Reader = &bounded{r: f.Reader, packed: f.packed}
	}
	return f, nil
}
