// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/dropwatch/dropwatch/pkg/event"
)

const header4 = `{"type":"header","schema":4}` + "\n"

// TestLimits: lines that take more memory than they should are refused.
func TestLimits(t *testing.T) {
	many := func(format, element string, n int) string {
		return fmt.Sprintf(format, strings.TrimSuffix(strings.Repeat(element+",", n), ","))
	}
	frame := `{"type":"frame","id":0,"addr":"1","symbol":"f"}` + "\n"
	for name, test := range map[string]struct{ text, want string }{
		"frames of a stack":              {frame + many(`{"type":"stack","id":0,"frames":[%s]}`, "0", maxFrames+1), "list of more than 256"},
		"edges":                          {many(`{"type":"window","waiter":"softirq","edges":[%s]}`, `{"edge":"raise"}`, maxEdges+1), "list of more than 1024"},
		"edges of numbers":               {many(`{"type":"window","waiter":"softirq","edges":[%s]}`, `1`, 100_000), "unmarshal JSON number"},
		"user frames":                    {many(`{"type":"sample","user":[%s]}`, `{}`, maxFrames+1), "list of more than 256"},
		"links":                          {many(`{"type":"counters","links":[%s]}`, `{}`, maxLinks+1), "list of more than 65536"},
		"counts of nothing":              {many(`{"type":"tick","counts":[%s]}`, `1`, 100_000), "no list"},
		"name":                           {fmt.Sprintf(`{"type":"frame","id":0,"addr":"1","symbol":"%s"}`, strings.Repeat("x", maxName+1)), "name of 4097 bytes"},
		"name of a cell":                 {frame + fmt.Sprintf(`{"type":"cell","id":0,"location":0,"device":"%s"}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"name of a namespace":            {frame + fmt.Sprintf(`{"type":"cell","id":0,"location":0,"netns_name":"%s"}`, strings.Repeat("x", maxSpace+1)), "name of 1025 bytes"},
		"name of a task":                 {frame + fmt.Sprintf(`{"type":"cell","id":0,"location":0}`+"\n"+`{"type":"drop","comm":"%s"}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"name of a woken task":           {fmt.Sprintf(`{"type":"window","waiter":"softirq","edges":[{"edge":"wake","task":{"comm":"%s"}}]}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"name of a handler":              {fmt.Sprintf(`{"type":"sample","at":{"handler":"%s"}}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"name of a group":                {fmt.Sprintf(`{"type":"sample","cgroup_path":"%s"}`, strings.Repeat("x", maxName+1)), "name of 4097 bytes"},
		"name of a link":                 {fmt.Sprintf(`{"type":"counters","links":[{"peer":"%s"}]}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"name of a late packet's device": {fmt.Sprintf(`{"type":"late","device":"%s"}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"name of a counter":              {fmt.Sprintf(`{"type":"counter","id":0,"part":"%s"}`, strings.Repeat("x", maxWord+1)), "name of 129 bytes"},
		"names of a stack": {fmt.Sprintf(`{"type":"frame","id":0,"addr":"1","symbol":"%s"}`+"\n", strings.Repeat("x", maxName)) +
			many(`{"type":"stack","id":0,"frames":[%s]}`, "0", 9), "names of 36864 bytes"},
		"drop": {fmt.Sprintf(`{"type":"drop","comm":"%s"}`, strings.Repeat("x", maxEvent)), "drop has at most 1048576"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(header4 + test.text + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := readAll(r); !isCorrupt(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%.300v, want %q", err, test.want)
			}
		})
	}
}

// pack compresses with the window of zstd -19.
func pack(t testing.TB, text string) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithWindowSize(8<<20))
	if err != nil {
		t.Fatal(err)
	}
	return encoder.EncodeAll([]byte(text), nil)
}

// TestExpansion: a file that expands to what no recorder writes is refused, and one that
// is packed better than a recorder does is not.
func TestExpansion(t *testing.T) {
	ticks := strings.Repeat(`{"type":"tick"}`+"\n", 200_000)
	r, err := NewReader(bytes.NewReader(pack(t, header4+ticks)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := readAll(r); !isCorrupt(err) || !strings.Contains(err.Error(), "expand to more than") {
		t.Errorf("%v", err)
	}

	var flood bytes.Buffer // of one kind of drop, at 300 kHz
	w, err := NewWriter(&flood, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	drop := *sampleEvents()[0].(*event.Drop)
	const drops = 300_000
	for i := range drops {
		drop.Time += time.Duration(3_000 + i*7919%613)
		if err := w.Write(&drop); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(&event.End{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string][]byte{"as written": flood.Bytes(), "packed better": pack(t, unpack(t, flood.Bytes()))} {
		r, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for ; err == nil; n++ {
			_, err = r.Next()
		}
		r.Close()
		if !errors.Is(err, io.EOF) || n != drops+2 {
			t.Errorf("%s, %d bytes: %d events, then %v", name, len(raw), n-1, err)
		}
	}
}

func unpack(t *testing.T, raw []byte) string {
	t.Helper()
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	text, err := decoder.DecodeAll(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWriterKeepsLimits: what the writer writes can be read, whatever it is given.
func TestWriterKeepsLimits(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	drop := *sampleEvents()[0].(*event.Drop)
	stack := &event.Stack{ID: 1000}
	for i := range 2 * maxFrames {
		stack.Frames = append(stack.Frames, &event.Frame{ID: 1000 + i, Addr: 1, Symbol: strings.Repeat("x", 300)})
	}
	drop.Stack = stack
	for _, e := range []event.Event{&drop, &event.End{}} {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if got := e.(*event.Drop).Stack; !got.Cut || len(got.Frames) != maxText/300 {
		t.Errorf("%d frames, cut %v", len(got.Frames), got.Cut)
	}

	// The entry that is one too many is an error here, and not for the reader.
	w, err = NewWriter(io.Discard, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	w.frames.next = maxTable
	if err := w.Write(sampleEvents()[0]); err == nil || !strings.Contains(err.Error(), "more than 1048576 entries of type frame") {
		t.Errorf("%v", err)
	}
}

// readBytes is how much memory reading takes at most for a file of so many bytes, beside
// what is kept of it: lines, tables, windows of the decompressor.
func readBytes(file int) uint64 { return 4*expandBase + 4*expandRatio*uint64(file) }

// FuzzReaderMemory reads what is fuzzed, and looks at how much memory that takes in all.
func FuzzReaderMemory(f *testing.F) {
	f.Add(writeCompressed(f, sampleEvents()))
	f.Add(write(f, stallEvents()))
	f.Add(write(f, counterEvents()))
	f.Add(pack(f, header4+strings.Repeat(`{"type":"tick","counts":[]}`+"\n", 100_000)))
	f.Add([]byte(header4 + `{"type":"counters","links":[` + strings.Repeat("1,", 10_000) + "1]}\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := NewReader(bytes.NewReader(raw))
		if err == nil {
			for err == nil {
				_, err = r.Next()
			}
			r.Close()
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > readBytes(len(raw)) {
			t.Errorf("%d bytes take %d of memory: %v", len(raw), took, err)
		}
	})
}

// TestSums: a recording that counts other drops than its totals say, or samples none, or
// more than there are numbers for, is refused.
func TestSums(t *testing.T) {
	good, err := os.ReadFile("testdata/schema4.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	tick := regexp.MustCompile(`(?m)^\{"type":"tick".*"counts":\[\[.*\n`)
	weight := regexp.MustCompile(`(?m)^(\{"type":"drop".*?"drops":)\d+`)
	count := regexp.MustCompile(`(?m)^(\{"type":"tick".*?"counts":\[\[\d+,)\d+`)
	for name, test := range map[string]struct {
		old  *regexp.Regexp
		new  string
		want string
	}{
		"tick twice":     {tick, "$0$0", "drops, the counts are of"},
		"tick left out":  {tick, "", "drops, the counts are of"},
		"sample of none": {weight, "${1}0", "a sample stands for 0 drops"},
		"samples of all": {weight, "${1}3000000000000000000", "those before for 3000000000000000000"},
		"count of all":   {count, "${1}18446744073709551615", "counts add up to more than"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(test.old.ReplaceAll(good, []byte(test.new))))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := readAll(r); !isCorrupt(err) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%.300v, want %q", err, test.want)
			}
		})
	}
}
