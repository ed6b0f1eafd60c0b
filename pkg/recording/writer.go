// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// window is how far back the compressor looks, bytes. Lines of one kind resemble
// each other closely, so that a small window does.
const window = 256 << 10

// Writer writes a recording. Its methods are for one goroutine. After an error it
// writes no more and returns the error again.
type Writer struct {
	zstd                  *zstd.Encoder
	line                  []byte
	frames, stacks, cells ids
	names                 []cellNames // of cells, as written
	counters              counterIDs
	err                   error
}

// cellNames are what may get a name later.
type cellNames struct {
	device event.Device
	netns  event.Netns
}

// ids numbers what is written once, in the order of writing.
type ids struct {
	of   []int // by ID; 0 if not yet written, else the number plus one
	next int
	free []int // numbers
}

// get returns the number of an ID, and whether it is a new one.
func (n *ids) get(id int) (number int, isNew bool) {
	for id >= len(n.of) {
		n.of = append(n.of, 0)
	}
	if last := len(n.free) - 1; n.of[id] == 0 && last >= 0 {
		n.of[id] = n.free[last] + 1
		n.free = n.free[:last]
		return n.of[id] - 1, true
	}
	if n.of[id] == 0 {
		n.next++
		n.of[id] = n.next
		return n.next - 1, true
	}
	return n.of[id] - 1, false
}

// leave gives the number of an ID back, if it has one.
func (n *ids) leave(id int) (number int, ok bool) {
	if id >= len(n.of) || n.of[id] == 0 {
		return 0, false
	}
	number = n.of[id] - 1
	n.of[id] = 0
	n.free = append(n.free, number)
	return number, true
}

// NewWriter begins a recording on w.
func NewWriter(w io.Writer, meta *event.Meta) (*Writer, error) {
	encoder, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(window), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("compress recording: %w", err)
	}
	out := &Writer{zstd: encoder, counters: counterIDs{of: map[event.CounterID]*writtenCounter{}}}
	out.json(headerLine{Type: "header", Schema: Schema, Meta: *meta})
	return out, out.Flush()
}

// Write appends an event, and before it what it refers to and is not yet written.
func (w *Writer) Write(e event.Event) error {
	switch e := e.(type) {
	case *event.Drop:
		cell, stack := w.cell(e.Cell), w.stack(e.Stack)
		w.line = appendDrop(w.line[:0], e, cell, stack)
		w.put()
	case *event.Tick:
		line := tickLine{Type: "tick", Time: e.Time, Totals: e.Totals, Loss: e.Loss}
		line.Counts = make([][4]uint64, 0, len(e.Counts))
		for _, c := range e.Counts {
			line.Counts = append(line.Counts, [4]uint64{uint64(w.cell(c.Cell)), c.Drops, c.Bytes, c.Segments})
		}
		for _, c := range e.Gone {
			if number, ok := w.cells.leave(c.ID); ok {
				line.Gone = append(line.Gone, number)
			}
		}
		w.json(line)
	case *event.Counters:
		w.json(w.countersLine(e))
	case *event.End:
		w.json(endLine{Type: "end", Time: e.Time, Totals: e.Totals, Loss: e.Loss, Stalls: e.Stalls})
	default:
		w.stall(e)
	}
	return w.err
}

// Flush writes out everything so far, readable even if nothing follows.
func (w *Writer) Flush() error {
	if w.err == nil {
		w.fail(w.zstd.Flush())
	}
	return w.err
}

// Close completes the compressed stream.
func (w *Writer) Close() error {
	err := w.zstd.Close()
	if w.err == nil {
		w.fail(err)
	}
	return w.err
}

func (w *Writer) cell(c *event.Cell) int {
	number, isNew := w.cells.get(c.ID)
	names := cellNames{c.Device, c.Netns}
	switch {
	case number == len(w.names):
		w.names = append(w.names, names)
	case isNew:
	case w.names[number] == names:
		return number
	}
	w.names[number] = names
	w.entry("cell", number, checkNames(maxWord, c.Reason.Name, c.Device.Name), checkNames(maxSpace, c.Netns.Name))
	w.json(cellLine{
		Type: "cell", ID: number, Reason: c.Reason.Name, ReasonCode: c.Reason.Code, Inferred: c.Reason.Inferred, Vague: c.Reason.Vague,
		Location: w.frame(c.Location), Device: c.Device.Name, Ifindex: c.Device.Index,
		Netns: c.Netns.Inode, NetnsName: c.Netns.Name,
		Ethertype: c.Ethertype, Protocol: c.Protocol, Family: c.Family, Overflow: c.Overflow,
	})
	return number
}

// stack returns -1 for nil.
func (w *Writer) stack(s *event.Stack) int {
	if s == nil {
		return -1
	}
	number, isNew := w.stacks.get(s.ID)
	if isNew {
		line := stackLine{Type: "stack", ID: number, Cut: s.Cut, Frames: make([]int, 0, len(s.Frames))}
		text := 0
		for _, f := range s.Frames {
			if text += len(f.Symbol) + len(f.Module); len(line.Frames) == maxFrames || text > maxText {
				line.Cut = true
				break
			}
			line.Frames = append(line.Frames, w.frame(f))
		}
		w.entry("stack", number)
		w.json(line)
	}
	return number
}

func (w *Writer) frame(f *event.Frame) int {
	number, isNew := w.frames.get(f.ID)
	if isNew {
		w.entry("frame", number, checkNames(maxName, f.Symbol, f.Module))
		w.json(frameLine{
			Type: "frame", ID: number, Addr: f.Addr,
			Symbol: f.Symbol, Offset: f.Offset, Module: f.Module,
		})
	}
	return number
}

func (w *Writer) json(line any) {
	text, err := json.Marshal(line)
	w.fail(err)
	w.line = append(append(w.line[:0], text...), '\n')
	w.put()
}

// entry fails for an entry of a table that has no room for it: nobody could read it.
func (w *Writer) entry(table string, number int, names ...error) {
	if number >= maxTable {
		w.fail(fmt.Errorf("more than %d entries of type %s", maxTable, table))
	}
	w.fail(cmp.Or(names...))
}

func (w *Writer) put() {
	if len(w.line) > maxLine {
		w.fail(fmt.Errorf("line of %d bytes, at most %d can be read", len(w.line), maxLine))
	}
	if w.err == nil {
		_, err := w.zstd.Write(w.line)
		w.fail(err)
	}
}

func (w *Writer) fail(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("write recording: %w", err)
	}
}
