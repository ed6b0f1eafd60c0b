// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropwatch/dropwatch/pkg/event"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sameEvents compares without IDs, which are the source's own.
var sameEvents = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmpopts.IgnoreFields(event.Cell{}, "ID"),
	cmpopts.IgnoreFields(event.Stack{}, "ID"),
	cmpopts.IgnoreFields(event.Frame{}, "ID"),
	cmpopts.EquateEmpty(),
}

func TestRoundTrip(t *testing.T) {
	for name, raw := range map[string][]byte{
		"compressed": writeCompressed(t, sampleEvents()),
		"plain":      write(t, sampleEvents()),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewReader(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if diff := cmp.Diff(sampleMeta(), r.Meta()); diff != "" {
				t.Errorf("meta (-want +got):\n%s", diff)
			}
			got, err := readAll(r)
			if !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(sampleEvents(), got, sameEvents); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSchema holds the lines of every schema that was ever written: readers must
// take them all, and a change of what is written is seen here.
func TestSchema(t *testing.T) {
	golden(t, "schema4.jsonl", write(t, sampleEvents()))
}

// golden compares lines with a file in testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// TestCellChanges checks that a device that gets its name later has it everywhere.
func TestCellChanges(t *testing.T) {
	events := sampleEvents()
	d := events[0].(*event.Drop)
	unnamed := *d.Cell
	unnamed.Device.Name = ""
	first := &event.Tick{Counts: []event.Count{{Cell: &unnamed, Drops: 1}}}
	r, err := NewReader(bytes.NewReader(write(t, append([]event.Event{first}, events...))))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	cell := got[0].(*event.Tick).Counts[0].Cell
	if cell != got[1].(*event.Drop).Cell || cell.Device.Name != `veth"0` {
		t.Errorf("the first tick's cell is %+v, the drop's %+v; want one and the same", cell, got[1].(*event.Drop).Cell)
	}
}

// TestInferred: a recording says which reasons were inferred.
func TestInferred(t *testing.T) {
	want := event.Reason{Code: 2, Name: "CPU_BACKLOG", Inferred: true}
	cell := &event.Cell{Reason: want, Location: &event.Frame{Symbol: "enqueue_to_backlog"}}
	lines := write(t, []event.Event{&event.Tick{Counts: []event.Count{{Cell: cell, Drops: 1}}}, &event.End{}})
	if !bytes.Contains(lines, []byte(`"reason":"CPU_BACKLOG","reason_code":2,"inferred":true,`)) {
		t.Errorf("written:\n%s", lines)
	}
	r, err := NewReader(bytes.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	events, err := readAll(r)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	if got := events[0].(*event.Tick).Counts[0].Cell.Reason; got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

func TestHostileNames(t *testing.T) {
	text := strings.ReplaceAll(string(write(t, sampleEvents())), `"nft_do_chain"`, `"\u001b[2Jnft\u202e\n"`)
	r, err := NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	want := `\x1b[2Jnft\xe2\x80\xae\x0a`
	if symbol := got[0].(*event.Drop).Cell.Location.Symbol; symbol != want {
		t.Errorf("symbol %q, want %q", symbol, want)
	}
}

func TestAppendDropDoesNotAllocate(t *testing.T) {
	d := sampleEvents()[0].(*event.Drop)
	b := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() { b = appendDrop(b[:0], d, 1, 2) }); n != 0 {
		t.Errorf("%v allocations for a drop, want none", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	d := sampleEvents()[0].(*event.Drop)
	w, err := NewWriter(io.Discard, sampleMeta())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Time += 1000
		if err := w.Write(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	events := sampleEvents()
	var many []event.Event
	for range 10_000 {
		many = append(many, events[0])
	}
	raw := writeCompressed(b, many)
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(raw))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for {
			if _, err := r.Next(); err != nil {
				break
			}
			n++
		}
		if n != len(many) {
			b.Fatalf("%d events, want %d", n, len(many))
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(many)), "ns/event")
}
