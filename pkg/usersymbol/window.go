// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"bytes"
	"io"
)

const (
	windowSize = 1 << 16
	// maxName is the length in bytes at which the name of a symbol is cut.
	maxName = 4096
)

// window reads a file at ascending offsets through a buffer of windowSize bytes, so that
// memory does not depend on the size of a table.
type window struct {
	r      io.ReaderAt
	start  uint64
	buffer []byte
}

// at returns size bytes at an offset, or fewer at the end of the file. They are valid until
// the next call. size is at most windowSize.
func (w *window) at(offset uint64, size int) []byte {
	if w.buffer == nil {
		w.buffer = make([]byte, 0, windowSize)
	}
	skip := offset - w.start
	if offset < w.start || skip+uint64(size) > uint64(len(w.buffer)) {
		n := 0
		if int64(offset) >= 0 {
			// A read error is treated as the end of the file.
			n, _ = w.r.ReadAt(w.buffer[:windowSize], int64(offset))
		}
		w.start, w.buffer, skip = offset, w.buffer[:n], 0
	}
	rest := w.buffer[min(skip, uint64(len(w.buffer))):]
	return rest[:min(size, len(rest))]
}

// name returns the bytes from an offset up to a zero byte.
func (w *window) name(offset uint64) []byte {
	name := w.at(offset, maxName)
	if i := bytes.IndexByte(name, 0); i >= 0 {
		return name[:i]
	}
	return name
}
