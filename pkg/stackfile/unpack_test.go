// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

// packed returns a text as a program packs it.
func packed(tb testing.TB, p packing, text string) string {
	tb.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if p == zstdPacking {
		z, err := zstd.NewWriter(&b)
		if err != nil {
			tb.Fatal(err)
		}
		w = z
	}
	if _, err := io.WriteString(w, text); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// stacks returns so many lines of folded stacks, all different.
func stacks(lines int) string {
	var b strings.Builder
	for i := range lines {
		fmt.Fprintf(&b, "main;handler_%d;read;copy_%d %d\n", i%37, i, i%100)
	}
	return b.String()
}

func TestUnpack(t *testing.T) {
	text := stacks(20_000)
	for name, file := range map[string]string{
		"gzip": packed(t, gzipPacking, text), "zstd": packed(t, zstdPacking, text), "plain": text,
		"both":            packed(t, zstdPacking, packed(t, gzipPacking, text)),
		"two gzip files":  packed(t, gzipPacking, text[:1000]) + packed(t, gzipPacking, text[1000:]),
		"two zstd frames": packed(t, zstdPacking, text[:1000]) + packed(t, zstdPacking, text[1000:]),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(iotest.OneByteReader(strings.NewReader(file)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(f); err != nil || string(got) != text {
				t.Errorf("%d bytes, error %v, want %d", len(got), err, len(text))
			}
		})
	}
}

func TestUnpackFails(t *testing.T) {
	broken := errors.New("broken disk")
	text := stacks(20_000)
	gz, zst := packed(t, gzipPacking, text), packed(t, zstdPacking, text)
	deep := text
	for range mostPackings + 1 {
		deep = packed(t, gzipPacking, deep)
	}
	for name, test := range map[string]struct {
		file io.Reader
		want string
	}{
		"gzip cut short":               {strings.NewReader(gz[:len(gz)/2]), "gzip data are cut short"},
		"zstd cut short":               {strings.NewReader(zst[:len(zst)/2]), "zstd data are cut short"},
		"gzip damaged":                 {strings.NewReader(gz[:len(gz)-8] + "damaged!"), "unpack gzip: gzip: invalid checksum"},
		"packed too often":             {strings.NewReader(deep), "packed more than 3 times"},
		"broken at once":               {iotest.ErrReader(broken), "broken disk"},
		"broken later":                 {io.MultiReader(strings.NewReader(text[:headSize]), iotest.ErrReader(broken)), "broken disk"},
		"gzip of nothing but a header": {strings.NewReader("\x1f\x8b"), "unpack gzip: unexpected EOF"},
		"a window of 2 GiB":            {strings.NewReader("\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00"), "unpack zstd: window size exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(test.file)
			if err == nil {
				_, err = io.ReadAll(f)
			}
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
		})
	}
}

// TestBombs holds small files that unpack to large ones.
func TestBombs(t *testing.T) {
	const large = 64 << 20
	for name, text := range map[string]string{
		"one line":     strings.Repeat("a", large),
		"short lines":  strings.Repeat("a 1\n", large/16),
		"a deep stack": strings.Repeat("a;", large/16) + "b 1\n",
	} {
		for _, p := range []packing{gzipPacking, zstdPacking} {
			t.Run(name+" in "+string(p), func(t *testing.T) {
				f, err := Open(strings.NewReader(packed(t, p, text)))
				if err != nil {
					t.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, f); !errors.Is(err, errBomb) {
					t.Errorf("%d bytes, error %v", n, err)
				}
			})
		}
	}
}
