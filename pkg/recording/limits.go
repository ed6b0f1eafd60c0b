// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"encoding/json"
	"fmt"

	fastjson "github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Limits of a recording. The writer keeps them, so that the reader, which refuses what is
// past them, reads whatever it has written. They keep a small hostile file from filling
// the memory or taking long.
const (
	maxTable  = 1 << 20  // entries of a table
	maxLine   = 16 << 20 // bytes of a line: counters of 6,000 namespaces, cells of all CPUs
	maxEvent  = 1 << 20  // bytes of a line other than header, tick and counters
	maxName   = 4 << 10  // bytes of each name in a table
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
	readingCost = 96       // and a counter's value
	eventCost   = 512      // and an event: what is made of it
)

// list is an array of a line that has at most so many elements. A plain slice takes the
// memory first: [1,1,1…] for a list of objects takes 60 times its text, as encoding/json
// goes on after an element of a wrong type.
type list[T any, N bound] []T

// numbers is a list of what takes less memory than text, and is read at once.
type numbers[T any, N bound] []T

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

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T, N]) UnmarshalJSON(text []byte) error {
	*l = nil
	if string(text) == "null" {
		return nil
	}
	var n N
	dec := json.NewDecoder(bytes.NewReader(text))
	if start, err := dec.Token(); err != nil || start != json.Delim('[') {
		return fmt.Errorf("no list: %.20q", text)
	}
	for dec.More() {
		if len(*l) == n.most() {
			return fmt.Errorf("list of more than %d", n.most())
		}
		var e T
		if err := dec.Decode(&e); err != nil {
			*l = nil
			return err
		}
		*l = append(*l, e)
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *numbers[T, N]) UnmarshalJSON(text []byte) error {
	var n N
	var all []T
	if bytes.Count(text, []byte("[")) > n.most()+1 { // as short as [] is
		return fmt.Errorf("list of more than %d", n.most())
	}
	// It ends at the first element of a wrong type. Older schemas have shorter tuples.
	if err := fastjson.Unmarshal(text, &all, jsonv1.UnmarshalArrayFromAnyLength(true)); err != nil {
		return err
	}
	if len(all) > n.most() {
		return fmt.Errorf("list of more than %d", n.most())
	}
	*l = all
	return nil
}

// checkNames returns an error for a name that is too long.
func checkNames(names ...string) error {
	for _, name := range names {
		if len(name) > maxName {
			return fmt.Errorf("name of %d bytes, at most %d are allowed: %.20q…", len(name), maxName, name)
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

// take spends what a line and its event take.
func (a *allowance) take(line []byte, e event.Event) error {
	cost := max(len(line), lineCost)
	if e != nil {
		cost = max(cost, eventCost)
	}
	if d, ok := e.(*event.Drop); ok && d.Stack != nil {
		text := textOf(d.Stack)
		cost = max(cost, len(line)+text/8) // where it is shown for every drop
		if a.isNew(d) {
			cost += text + frameCost*len(d.Stack.Frames)
		}
	}
	if c, ok := e.(*event.Counters); ok {
		cost = max(cost, readingCost*(len(c.Readings)+len(c.Bases)+len(c.Gone)))
	}
	if a.spent += int64(cost); a.spent > expandBase+expandRatio*a.read() {
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
