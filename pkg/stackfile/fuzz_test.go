// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"io"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// allocated returns the bytes that were allocated so far.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// FuzzOpen takes any bytes for a file of stacks. What is made of a megabyte fits a quarter
// of a gigabyte, even if nothing of it were freed.
func FuzzOpen(f *testing.F) {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "calls", Unit: "count"}},
		Function:   []*profile.Function{{ID: 1, Name: "f"}},
	}
	p.Location = []*profile.Location{{ID: 1, Line: []profile.Line{{Function: p.Function[0]}}}}
	p.Sample = []*profile.Sample{{Location: p.Location, Value: []int64{5}, Label: map[string][]string{baseLabel: {"true"}, "k": {"v"}}}}
	var raw bytes.Buffer
	if err := p.WriteUncompressed(&raw); err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{
		raw.String(), "a;b 1\n", "a;b 1 2\nc 3.5 0\n", `{"type":"header"}`, `{"traceEvents":[1]}`, "PERFILE2",
		"heap profile: 1: 128 [1: 129] @ heap/1\n1: 1 [1: 1] @ 0x4 0x5\n#\t0x3\tf+0x1\tf.go:1\n--- Memory map: ---\na=$a$a\n",
		"goroutine profile: total 1\n1 @ 0x442931 0x47cd1d\n", "--- contentionz 1 ---\n 1 2 @ 0x3\n", "--- threadz 1 ---\n",
		"--- heapz 1 ---\nformat = java\nresolution = bytes\n 8 1 @ 0x3\n 0x3 f (F.java:1)\n",
		"\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x10\x27\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x09\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00x=$y\n",
	} {
		f.Add([]byte(text))
		f.Add([]byte(packed(f, gzipPacking, text)))
		f.Add([]byte(packed(f, zstdPacking, text)))
	}
	f.Add([]byte(packed(f, zstdPacking, strings.Repeat("a;b 1\n", 1<<20))))
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 1<<20 {
			return
		}
		before := allocated()
		file, err := Open(bytes.NewReader(in))
		if err != nil {
			if file != nil || strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("file %v, error %q", file, err)
			}
			return
		}
		switch file.Kind {
		case Profile:
			p, err := file.PProf()
			if (p == nil) == (err == nil) {
				t.Errorf("profile %v, error %v", p, err)
			}
		case Folded:
			if foreign := file.Likely(); foreign != nil && (foreign.What == "" || strings.ContainsAny(foreign.Error(), "\n\x1b")) {
				t.Errorf("likely %q", foreign.Error())
			}
			folded, err := flamegraph.Parse(file)
			if (folded == nil) == (err == nil) {
				t.Errorf("stacks %v, error %v", folded, err)
			}
		default:
			if n, _ := io.CopyN(io.Discard, file, 16); n < 4 {
				t.Errorf("a recording of %d bytes", n)
			}
		}
		if bytes := allocated() - before; bytes > 256<<20 {
			t.Errorf("%d bytes for %d", bytes, len(in))
		}
	})
}
