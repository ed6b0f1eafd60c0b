// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestCut cuts a recording at every byte. What comes before the cut is read, and
// the error tells that there was more.
func TestCut(t *testing.T) {
	for name, raw := range map[string][]byte{
		"plain":      write(t, sampleEvents()),
		"compressed": writeCompressed(t, sampleEvents()),
	} {
		t.Run(name, func(t *testing.T) {
			headers, most := 0, 0
			for n := range len(raw) {
				r, err := NewReader(bytes.NewReader(raw[:n]))
				if err != nil {
					continue // cut within the header
				}
				headers++
				events, err := readAll(r)
				r.Close()
				_, cut := event.AsCut(err)
				// Without its last byte or checksum a recording has all its lines.
				whole := len(events) == len(sampleEvents())
				if !cut && !(whole && errors.Is(err, io.EOF)) && !isCorrupt(err) {
					t.Fatalf("cut at %d of %d: %d events, error %v", n, len(raw), len(events), err)
				}
				most = max(most, len(events))
			}
			if headers == 0 || most == 0 {
				t.Errorf("no cut recording could be read: %d headers, %d events", headers, most)
			}
		})
	}
}

func isCorrupt(err error) bool {
	var corrupt *event.CorruptError
	return errors.As(err, &corrupt)
}

// TestKilled flushes and then forgets to close, as SIGKILL does.
func TestKilled(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	events := sampleEvents()
	for _, e := range events[:3] {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	cut, ok := event.AsCut(err)
	if !ok || len(got) != 3 {
		t.Fatalf("%d events and error %v, want 3 and a cut", len(got), err)
	}
	if want := "recording was cut short after line 12, 1s into it"; cut.Error() != want {
		t.Errorf("%q, want %q", cut, want)
	}
}

func TestCorrupt(t *testing.T) {
	text := string(write(t, sampleEvents()))
	lines := strings.SplitAfter(text, "\n")
	change := func(old, new string) string {
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in the sample", old)
		}
		return strings.Replace(text, old, new, 1)
	}
	for name, test := range map[string]struct {
		text   string
		events int
		want   string
	}{
		"garbage":            {lines[0] + "garbage\n", 0, fmt.Sprintf("line 2 (offset %d uncompressed): invalid character 'g'", len(lines[0]))},
		"unknown type":       {lines[0] + `{"type":"ghost"}` + "\n", 0, `line of type "ghost"`},
		"no type":            {lines[0] + "{}\n", 0, `line of type ""`},
		"undefined cell":     {change(`"cell":1,`, `"cell":77,`), 1, "cell 77 is not defined"},
		"negative cell":      {change(`"cell":1,`, `"cell":-1,`), 1, "cell -1 is not defined"},
		"undefined stack":    {change(`"stack":0`, `"stack":9`), 0, "stack 9 is not defined"},
		"undefined frame":    {change(`"frames":[0,1,2]`, `"frames":[0,1,200]`), 0, "frame 200 is not defined"},
		"frame out of order": {change(`{"type":"frame","id":1,`, `{"type":"frame","id":4,`), 0, "frame 4 follows 0"},
		"cell out of order":  {change(`{"type":"cell","id":1,`, `{"type":"cell","id":2,`), 1, "cell 2 follows 0"},
		"bad address":        {change(`"src":"10.0.0.1"`, `"src":"10.0.0"`), 0, "10.0.0"},
		"bad context":        {change(`"context":"idle"`, `"context":"bored"`), 1, `unknown context "bored"`},
		"count of no cell":   {change(`"counts":[[0,`, `"counts":[[18446744073709551615,`), 2, "cell 1048576 is not defined"},
		"after the end":      {text + lines[1], 5, "a line follows the end"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			events, err := readAll(r)
			if !isCorrupt(err) || !strings.Contains(err.Error(), test.want) || len(events) != test.events {
				t.Errorf("%d events and %v, want %d and %q", len(events), err, test.events, test.want)
			}
			if _, again := r.Next(); !errors.Is(again, err) {
				t.Errorf("asked again: %v", again)
			}
		})
	}
}

func TestFlippedByte(t *testing.T) {
	raw := writeCompressed(t, sampleEvents())
	raw[len(raw)-1] ^= 1 // of the checksum
	r, err := NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if events, err := readAll(r); !isCorrupt(err) {
		t.Errorf("%d events and %v, want a CorruptError", len(events), err)
	}
}

func TestForeign(t *testing.T) {
	for name, test := range map[string]struct{ raw, want string }{
		"empty":        {"", "not a dropwatch recording: the file is empty"},
		"text":         {"hello\n", "not a dropwatch recording: line 1 is no header"},
		"other JSON":   {`{"a":1}` + "\n", "not a dropwatch recording: line 1 is no header"},
		"ELF":          {"\x7fELF\x02\x01\x01", "not a dropwatch recording"},
		"newer schema": {`{"type":"header","schema":99}` + "\n", "recording has schema 99, this dropwatch reads up to 4"},
		"not zstd":     {"\x28\xb5\x2f\xfd garbage", "damaged at line 1"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewReader(strings.NewReader(test.raw)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
}

type fullDisk struct{ room int }

var errFull = errors.New("no space left on device")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestFullDisk(t *testing.T) {
	w, err := NewWriter(&fullDisk{room: 700}, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range sampleEvents() {
		if err = w.Write(e); err == nil {
			err = w.Flush()
		}
	}
	if !errors.Is(err, errFull) {
		t.Errorf("error %v, want %v", err, errFull)
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close says %v, want the first error", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(writeCompressed(f, sampleEvents()))
	f.Add(write(f, sampleEvents()))
	f.Add(write(f, stallEvents()))
	f.Add(write(f, counterEvents()))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			if r != nil {
				t.Error("an error and a reader")
			}
			return
		}
		defer r.Close()
		for range 1 << 16 {
			e, err := r.Next()
			if err != nil {
				return
			}
			if d, ok := e.(*event.Drop); ok && (d.Cell == nil || d.Cell.Location == nil) {
				t.Fatal("a drop without a cell or location")
			}
		}
	})
}
