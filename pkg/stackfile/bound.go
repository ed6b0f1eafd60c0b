// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"errors"
	"io"
)

// errBomb says that a file is not what an honest program packs.
var errBomb = errors.New("it unpacks to far more than its size: unpack it first if you trust it")

// foldedRoom and profileRoom return the bytes of memory that may be taken for so many
// bytes of a file: little enough that a megabyte takes a quarter of a gigabyte in the
// end, and several times what honest files take.
func foldedRoom(size int64) int64  { return 40*mega + roomFor(size) }
func profileRoom(size int64) int64 { return 100*mega + roomFor(size) }

func roomFor(size int64) int64 { return 20*min(size, mega) + 150*max(0, size-mega) }

const mega = 1 << 20

// What a line of folded stacks and a frame in it take, with what is made of them.
const (
	lineCost  = 350
	frameCost = 48
)

// bounded fails when what was unpacked takes more memory than there is room for.
type bounded struct {
	r      io.Reader
	packed *counter
	cost   int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.cost += int64(n) + lineCost*int64(bytes.Count(p[:n], []byte("\n"))) + frameCost*int64(bytes.Count(p[:n], []byte(";")))
	if b.cost > foldedRoom(b.packed.n) {
		return 0, errBomb
	}
	return n, err
}
