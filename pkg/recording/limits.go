// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Limits of a recording. The writer keeps them, so that the reader, which refuses what is
// past them, reads whatever it has written. They keep a small hostile file from filling
// the memory or taking long.
const (
	maxTable  = 1 << 20  // entries of a table
	maxLine   = 16 << 20 // bytes of a line: counters of 6,000 namespaces, cells of all CPUs
	maxEvent  = 1 << 20  // bytes of a line other than header, tick and counters
	maxName   = 4 << 10  // bytes of a name: a function, a module, a control group, a path
	maxSpace  = 1 << 10  // of a namespace's, a file name of 255 bytes, each of which may be spelled \xNN
	maxWord   = 128      // of a task's, a device's, a handler's, 16 bytes in the kernel; a reason's; a counter's, 32 bytes
	maxFrames = 256      // of a stack; the kernel's programs keep 127
	maxText   = 32 << 10 // bytes of the names in a stack
	maxEdges  = 1 << 10  // of a window; the kernel's programs keep 128
	maxCounts = 1 << 18  // of a tick; there are at most 2^17 cells, on all CPUs together
	maxLinks  = 1 << 16  // of a reading of counters
	maxWindow = 16 << 20 // that decompressing takes, bytes; the writer's is smaller
)

// A file may expand to so much: what the writer makes does not come near, as it writes
// out what it has several times a second.
const (
	expandBase  = 16 << 20 // bytes
	expandRatio = 128      // bytes for each byte read of the file
	lineCost    = 256      // bytes that a line counts for at least: what it takes when read
	frameCost   = 64       // and a frame of a stack, where that is new
	counterCost = 512      // a line of a counter that is kept beside the others
	movedCost   = 1 << 10  // and a counter that moves, for its row, and its group where it may have one
	readingCost = 128      // and a counter's value
	linkCost    = 512      // and an interface
	cellCost    = 2 << 10  // a line of another cell, for what commands keep of it, be it gone
	edgeCost    = 96       // and an edge of a window
	userCost    = 64       // and a frame of user space
	seenCost    = 16       // and a frame of a stack of a sample, which is looked at several times
	eventCost   = 512      // and an event: what is made of it
	placeText   = 128      // of which the names of a drop's cell may take so much, bytes
	sampleCost  = 2 << 10  // a drop that is the first of its stack, cell and task: a sample of a profile, with its labels
)

// list is an array of a line. It is refused at the first element above its bound, or of a
// wrong type.
type list[T any, N bound] []T

// numbers is a list of whole numbers, or of tuples of them. Reading them one by one with
// package json takes four times as long.
type numbers[T tuple, N bound] []T

type tuple interface{ int | [2]uint64 | [4]uint64 }

// bound is the number of elements that a list may have.
type bound interface{ most() int }

type (
	edgesBound  struct{}
	framesBound struct{}
	countsBound struct{}
	tableBound  struct{}
	linksBound  struct{}
)

func (edgesBound) most() int  { return maxEdges }
func (framesBound) most() int { return maxFrames }
func (countsBound) most() int { return maxCounts }
func (tableBound) most() int  { return maxTable }
func (linksBound) most() int  { return maxLinks }

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *list[T, N]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*l = nil
	start, err := dec.ReadToken()
	if err != nil || start.Kind() == 'n' {
		return err
	}
	if start.Kind() != '[' {
		return fmt.Errorf("no list: %.20q", start)
	}
	var n N
	for dec.PeekKind() != ']' {
		if len(*l) == n.most() {
			return fmt.Errorf("list of more than %d", n.most())
		}
		var e T
		if err := json.UnmarshalDecode(dec, &e); err != nil {
			*l = nil
			return err
		}
		*l = append(*l, e)
	}
	_, err = dec.ReadToken()
	return err
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *numbers[T, N]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	*l = nil
	text, err := dec.ReadValue()
	if err != nil || text.Kind() == 'n' {
		return err
	}
	if text.Kind() != '[' {
		return fmt.Errorf("no list: %.20q", text)
	}
	var n N
	var e T
	opening := bytes.Count(text, []byte("["))
	if opening == 1 { // numbers of their own
		opening += bytes.Count(text, []byte(","))
	}
	all := make([]T, 0, min(n.most(), opening))
	for rest := []byte(text[1:]); ; {
		rest = separated(rest)
		if rest[0] == ']' {
			break
		}
		if len(all) == n.most() {
			return fmt.Errorf("list of more than %d", n.most())
		}
		if rest, err = element(rest, &e); err != nil {
			return err
		}
		all = append(all, e)
	}
	*l = all
	return nil
}

// element reads an element of a list that is valid JSON, and returns what is behind it.
// Older schemas have shorter tuples.
func element[T tuple](text []byte, e *T) (rest []byte, err error) {
	switch e := any(e).(type) {
	case *int:
		n, rest, err := whole(text)
		*e = int(min(n, math.MaxInt))
		return rest, err
	case *[2]uint64:
		*e = [2]uint64{}
		return wholes(text, e[:])
	case *[4]uint64:
		*e = [4]uint64{}
		return wholes(text, e[:])
	}
	return nil, errors.ErrUnsupported
}

// wholes reads a list of at most len(numbers) numbers.
func wholes(text []byte, numbers []uint64) (rest []byte, err error) {
	if text[0] != '[' {
		return nil, fmt.Errorf("no list: %.20q", text)
	}
	rest = text[1:]
	for i := 0; ; i++ {
		rest = separated(rest)
		switch {
		case rest[0] == ']':
			return rest[1:], nil
		case i == len(numbers):
			return nil, fmt.Errorf("list of more than %d: %.20q", len(numbers), text)
		}
		if numbers[i], rest, err = whole(rest); err != nil {
			return nil, err
		}
	}
}

// separated returns what is behind the space and the comma ahead of an element.
func separated(text []byte) []byte {
	for text[0] == ' ' || text[0] == ',' || text[0] == '\t' || text[0] == '\r' || text[0] == '\n' {
		text = text[1:]
	}
	return text
}

// whole reads a whole number.
func whole(text []byte) (n uint64, rest []byte, err error) {
	for i, c := range text {
		digit := uint64(c - '0')
		switch {
		case digit <= 9 && n <= (math.MaxUint64-digit)/10:
			n = n*10 + digit
			continue
		case digit <= 9, i == 0, c == '.', c == 'e', c == 'E':
			return 0, nil, fmt.Errorf("no whole number of 64 bits: %.24q", text)
		}
		return n, text[i:], nil
	}
	return 0, nil, io.ErrUnexpectedEOF
}

// checkNames returns an error for a name that is too long.
func checkNames(most int, names ...string) error {
	for _, name := range names {
		if len(name) > most {
			return fmt.Errorf("name of %d bytes, at most %d are allowed: %.20q…", len(name), most, name)
		}
	}
	return nil
}

// checkLine returns an error for a line of a kind that is too long.
func checkLine(kind string, length int) error {
	most := maxEvent
	if kind == "tick" || kind == "counters" {
		most = maxLine
	}
	if length > most {
		return fmt.Errorf("line of %d bytes, %s has at most %d", length, kind, most)
	}
	return nil
}

// allowance is what a file may still expand to.
type allowance struct {
	read  func() int64 // bytes of the file so far
	spent int64
	seen  map[spelled]struct{}
}

// spelled is a stack as pictures and profiles spell it out.
type spelled struct {
	stack *event.Stack
	cell  *event.Cell
	comm  string // of a drop in process context
}

// take spends what a line takes, at least so much, and its event.
func (a *allowance) take(line []byte, least int, e event.Event) error {
	cost := max(len(line), least)
	if e != nil {
		cost = max(cost, eventCost)
	}
	switch e := e.(type) {
	case *event.Drop:
		text := 0
		if e.Stack != nil {
			text = textOf(e.Stack)
			cost = max(cost, len(line)+text/8) // where it is shown for every drop
		}
		c := e.Cell
		cost += max(0, len(c.Reason.Name)+len(c.Location.Symbol)+len(c.Device.Name)+len(c.Netns.Name)-placeText)
		if a.isNew(e) {
			cost += sampleCost + text
			if e.Stack != nil {
				cost += frameCost * len(e.Stack.Frames)
			}
		}
	case *event.Window:
		cost = max(cost, edgeCost*len(e.Edges))
	case *event.CPUSample:
		cost = max(cost, userCost*len(e.User)) // which take as many bytes of the line if they have a name
		if e.Stack != nil {
			cost += seenCost * len(e.Stack.Frames)
		}
	}
	a.spent += int64(cost)
	return a.fits(0)
}

// fits returns an error if there is no room for so much.
func (a *allowance) fits(cost int) error {
	if a.spent+int64(cost) > expandBase+expandRatio*a.read() {
		return fmt.Errorf("%d bytes expand to more than %d: no recorder writes that", a.read(), a.spent)
	}
	return nil
}

// isNew reports whether a drop is the first of its stack, cell and task.
func (a *allowance) isNew(d *event.Drop) bool {
	key := spelled{stack: d.Stack, cell: d.Cell}
	if d.Context == event.ContextProcess {
		key.comm = d.Task.Comm
	}
	if _, ok := a.seen[key]; ok {
		return false
	}
	if a.seen == nil {
		a.seen = map[spelled]struct{}{}
	}
	a.seen[key] = struct{}{}
	return true
}

// textOf returns how much the names in a stack take, bytes.
func textOf(s *event.Stack) (size int) {
	for _, f := range s.Frames {
		size += len(f.Symbol) + len(f.Module)
	}
	return size
}
