// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"cmp"
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// vagueSince is the first schema whose cells say of reasons whether they are vague.
const vagueSince = 4

// tables hold what events refer to by number.
type tables struct {
	frames []*event.Frame
	stacks []*event.Stack
	cells  []*event.Cell
	gone   map[int]struct{} // cells whose numbers others may have
	schema int              // of the recording

	counters     []*knownCounter
	counterNames map[counterName]struct{}
	readings     int // lines of counters

	cost int // what the line that is being read takes at least, bytes
}

// look returns the entry of a table, or an error that names what is missing.
func look[T any](table []*T, what string, id int) (*T, error) {
	if id < 0 || id >= len(table) {
		return nil, fmt.Errorf("%s %d is not defined", what, id)
	}
	return table[id], nil
}

func checkID[T any](table []*T, what string, id int) error {
	if id != len(table) || id >= maxTable {
		return fmt.Errorf("%s %d follows %d", what, id, len(table)-1)
	}
	return nil
}

func (t *tables) addFrame(text []byte) error {
	var line frameLine
	if err := unmarshal(text, &line); err != nil {
		return err
	}
	if err := checkID(t.frames, "frame", line.ID); err != nil {
		return err
	}
	if err := checkNames(maxName, line.Symbol, line.Module); err != nil {
		return err
	}
	t.frames = append(t.frames, &event.Frame{
		ID: line.ID, Addr: line.Addr, Offset: line.Offset,
		Symbol: event.Printable(line.Symbol), Module: event.Printable(line.Module),
	})
	return nil
}

func (t *tables) addStack(text []byte) error {
	var line stackLine
	if err := unmarshal(text, &line); err != nil {
		return err
	}
	if err := checkID(t.stacks, "stack", line.ID); err != nil {
		return err
	}
	stack := &event.Stack{ID: line.ID, Cut: line.Cut, Frames: make([]*event.Frame, 0, len(line.Frames))}
	for _, id := range line.Frames {
		frame, err := look(t.frames, "frame", id)
		if err != nil {
			return err
		}
		stack.Frames = append(stack.Frames, frame)
	}
	if size := textOf(stack); size > maxText {
		return fmt.Errorf("stack with names of %d bytes, at most %d are allowed", size, maxText)
	}
	t.stacks = append(t.stacks, stack)
	return nil
}

// addCell adds a cell, in the place of one that is gone where it has its number, or changes
// one that is written again.
func (t *tables) addCell(text []byte) error {
	var line cellLine
	if err := unmarshal(text, &line); err != nil {
		return err
	}
	if err := cmp.Or(checkNames(maxWord, line.Reason, line.Device), checkNames(maxSpace, line.NetnsName)); err != nil {
		return err
	}
	location, err := look(t.frames, "frame", line.Location)
	if err != nil {
		return err
	}
	reason := event.Reason{Code: line.ReasonCode, Name: event.Printable(line.Reason), Inferred: line.Inferred, Vague: line.Vague}
	if t.schema < vagueSince { // nobody asked then
		reason.Vague = dropreason.Conditional(reason.Name, location.Symbol)
	}
	cell := event.Cell{
		ID:       line.ID,
		Reason:   reason,
		Location: location,
		Device:   event.Device{Index: line.Ifindex, Name: event.Printable(line.Device)},
		Netns:    event.Netns{Inode: line.Netns, Name: event.Printable(line.NetnsName)},

		Ethertype: line.Ethertype, Protocol: line.Protocol, Family: line.Family, Overflow: line.Overflow,
	}
	if _, gone := t.gone[line.ID]; gone {
		delete(t.gone, line.ID)
		t.cells[line.ID] = &cell
		t.cost = cellCost
		return nil
	}
	if known, err := look(t.cells, "cell", line.ID); err == nil {
		*known = cell
		return nil
	}
	if err := checkID(t.cells, "cell", line.ID); err != nil {
		return err
	}
	t.cells = append(t.cells, &cell)
	t.cost = cellCost
	return nil
}
