// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// counterIDs numbers the node's counters. The number of one that is gone is given to
// another, so that readers need room for those alone that there are at a time.
type counterIDs struct {
	of   map[event.CounterID]*writtenCounter
	free []int
	next int
}

// writtenCounter is a counter as it was written last.
type writtenCounter struct {
	event.Counter
	number int
	read   bool // in the event that is being written
}

// countersLine writes the counters that are new or have another name, and returns the
// line that refers to them.
func (w *Writer) countersLine(e *event.Counters) countersLine {
	line := countersLine{Type: "counters", Time: e.Time, Values: make([][2]uint64, 0, len(e.Readings))}
	var gone []*writtenCounter
	for _, c := range e.Gone {
		if known := w.counters.of[c.ID()]; known != nil {
			line.Gone, gone = append(line.Gone, known.number), append(gone, known)
			known.read = false
		}
	}
	for _, r := range e.Readings {
		line.Values = append(line.Values, [2]uint64{uint64(w.counter(r.Counter)), r.Value})
	}
	for _, r := range e.Bases {
		line.Bases = append(line.Bases, [2]uint64{uint64(w.counter(r.Counter)), r.Value})
	}
	for _, c := range gone {
		if id := c.ID(); !c.read && w.counters.of[id] == c {
			delete(w.counters.of, id)
			w.counters.free = append(w.counters.free, c.number)
		}
	}
	for _, l := range e.Links {
		line.Links = append(line.Links, linkLine{
			l.Name, l.Index, l.Netns.Inode, l.Netns.Name, l.Kind, l.Peer, l.PeerIndex, l.PeerNetns.Inode, l.PeerNetns.Name, l.NativeXDP,
		})
	}
	return line
}

// counter returns the number of a counter, which it writes if that or its names are new.
func (w *Writer) counter(c event.Counter) int {
	id := c.ID()
	known := w.counters.of[id]
	if known == nil {
		known = &writtenCounter{number: w.counters.take()}
		w.counters.of[id] = known
	}
	if known.Counter != c {
		known.Counter = c
		w.entry("counter", known.number, checkNames(maxWord, string(c.Source), c.Name, c.Device, c.Part), checkNames(maxSpace, c.Netns.Name))
		w.json(counterLine{"counter", known.number, c.Source, c.Name, c.Netns.Inode, c.Netns.Name, c.Device, c.Index, c.Part})
	}
	known.read = true
	return known.number
}

// take returns a number that no counter has.
func (n *counterIDs) take() int {
	if last := len(n.free) - 1; last >= 0 {
		number := n.free[last]
		n.free = n.free[:last]
		return number
	}
	n.next++
	return n.next - 1
}

// knownCounter is a counter of a recording.
type knownCounter struct {
	event.Counter
	moved bool // it, or one before it that is gone
	gone  bool // others may have its number
}

// counterName is what counters have in common that are added up when they are gone.
type counterName struct {
	source event.CounterSource
	name   string
}

// addCounter adds a counter, or one in the place of another.
func (t *tables) addCounter(text []byte) error {
	var line counterLine
	if err := unmarshal(text, &line); err != nil {
		return err
	}
	if err := cmp.Or(checkNames(maxWord, string(line.Source), line.Name, line.Device, line.Part), checkNames(maxSpace, line.NetnsName)); err != nil {
		return err
	}
	counter := &knownCounter{Counter: event.Counter{
		Source: event.CounterSource(event.Printable(string(line.Source))), Name: event.Printable(line.Name),
		Netns:  event.Netns{Inode: line.Netns, Name: event.Printable(line.NetnsName)},
		Device: event.Printable(line.Device), Index: line.Ifindex, Part: event.Printable(line.Part),
	}}
	name := counterName{counter.Source, counter.Name}
	_, known := t.counterNames[name]
	if !known {
		if t.counterNames == nil {
			t.counterNames = map[counterName]struct{}{}
		}
		t.counterNames[name] = struct{}{}
	}
	t.cost = counterCost
	if old, err := look(t.counters, "counter", line.ID); err == nil {
		switch {
		case old.gone && known:
			t.cost, counter.moved = lineCost, old.moved
		case old.gone:
			t.cost += movedCost
		}
		t.counters[line.ID] = counter
		return nil
	}
	if err := checkID(t.counters, "counter", line.ID); err != nil {
		return err
	}
	t.counters = append(t.counters, counter)
	return nil
}

func (r *Reader) parseCounters(text []byte) (event.Event, error) {
	var line countersLine
	if err := unmarshal(text, &line); err != nil {
		return nil, err
	}
	r.cost = max(r.cost, readingCost*(len(line.Values)+len(line.Bases)+len(line.Gone))+linkCost*len(line.Links))
	if err := r.room.fits(r.cost); err != nil { // what is made of them takes more than the line
		return nil, err
	}
	e := &event.Counters{Time: line.Time}
	var err error
	if e.Readings, err = r.lookUp(line.Values); err != nil {
		return nil, err
	}
	if e.Bases, err = r.lookUp(line.Bases); err != nil {
		return nil, err
	}
	for _, id := range line.Gone {
		c, err := look(r.counters, "counter", id)
		if err != nil {
			return nil, err
		}
		c.gone = true
		e.Gone = append(e.Gone, c.Counter)
	}
	for _, l := range line.Links {
		if err := cmp.Or(checkNames(maxWord, l.Name, l.Kind, l.Peer), checkNames(maxSpace, l.NetnsName, l.PeerNetnsName)); err != nil {
			return nil, err
		}
		e.Links = append(e.Links, event.Link{
			Name: event.Printable(l.Name), Index: l.Ifindex, Netns: event.Netns{Inode: l.Netns, Name: event.Printable(l.NetnsName)},
			Kind: event.Printable(l.Kind), Peer: event.Printable(l.Peer), PeerIndex: l.PeerIfindex,
			PeerNetns: event.Netns{Inode: l.PeerNetns, Name: event.Printable(l.PeerNetnsName)}, NativeXDP: l.NativeXDP,
		})
	}
	if r.schema < 4 {
		r.absences.add(e)
	}
	r.at = max(r.at, e.Time)
	r.readings++
	return e, nil
}

// lookUp looks up the counters of pairs of number and value. From the second line of them
// on they are of counters that moved, or have appeared.
func (t *tables) lookUp(pairs [][2]uint64) ([]event.Reading, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	readings := make([]event.Reading, 0, len(pairs))
	for _, pair := range pairs {
		c, err := look(t.counters, "counter", int(min(pair[0], maxTable)))
		if err != nil {
			return nil, err
		}
		if t.readings > 0 && !c.moved {
			c.moved = true
			t.cost += movedCost
		}
		readings = append(readings, event.Reading{Counter: c.Counter, Value: pair[1]})
	}
	return readings, nil
}

// absences bridge the gaps in counters of older recordings: before schema 4 one that could
// not be read for a while was called gone, and went on where it was.
type absences struct {
	last, gone map[event.CounterID]uint64
}

// add gives counters that are back a base.
func (a *absences) add(e *event.Counters) {
	if a.last == nil {
		a.last, a.gone = map[event.CounterID]uint64{}, map[event.CounterID]uint64{}
	}
	for _, c := range e.Gone {
		if last, known := a.last[c.ID()]; known {
			a.gone[c.ID()] = last
		}
	}
	for _, r := range e.Readings {
		id := r.ID()
		if last, gone := a.gone[id]; gone {
			e.Bases = append(e.Bases, event.Reading{Counter: r.Counter, Value: last})
			delete(a.gone, id)
		}
		a.last[id] = r.Value
	}
}
