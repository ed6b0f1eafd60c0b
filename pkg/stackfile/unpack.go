// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// packing is a way to compress files that is unpacked here.
type packing string

const (
	gzipPacking packing = "gzip"
	zstdPacking packing = "zstd"
)

// mostPackings is how many times a file may be packed.
const mostPackings = 3

// maxWindow bounds the memory that a zstd file can ask for. zstd -19 asks for 8 MiB.
const maxWindow = 32 << 20

var errPackedOften = fmt.Errorf("packed more than %d times", mostPackings)

// packingOf returns how what begins like this is packed, or "".
func packingOf(head []byte) packing {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return gzipPacking
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstdPacking
	}
	return ""
}

// unpackHead returns the start of what a file holds, how it is packed, the outermost
// first, and whether the start is all of it.
func unpackHead(head []byte, whole bool) (plain []byte, packings []packing, all bool) {
	for range mostPackings {
		p := packingOf(head)
		if p == "" {
			break
		}
		packings = append(packings, p)
		r, err := p.reader(bytes.NewReader(head))
		if err != nil {
			return nil, packings, false
		}
		plain := make([]byte, headSize)
		n, err := io.ReadFull(r, plain)
		head, whole = plain[:n], whole && err == io.EOF || whole && err == io.ErrUnexpectedEOF && n < headSize
	}
	return head, packings, whole
}

// reader returns what is in a packed stream.
func (p packing) reader(r io.Reader) (io.Reader, error) {
	if p == gzipPacking {
		z, err := gzip.NewReader(bufio.NewReader(r))
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		return unpacker{z, p}, nil
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, fmt.Errorf("unpack zstd: %w", err)
	}
	return unpacker{z, p}, nil
}

// unpacker names what failed.
type unpacker struct {
	r       io.Reader
	packing packing
}

func (u unpacker) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%s data are cut short", u.packing)
	case err != nil && err != io.EOF:
		err = fmt.Errorf("unpack %s: %w", u.packing, err)
	}
	return n, err
}

// counter counts what was read of a packed file.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
