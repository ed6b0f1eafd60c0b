// SPDX-License-Identifier: Apache-2.0

// Package event defines what dropwatch knows of a kernel: its dropped packets and
// the counts that stay exact beside them. Nothing past this package can tell
// whether events come from a live kernel or from a file.
package event

import "time"

// Event is one of *Drop, *Tick, *Counters, *End, *Window, *CPUSample, *LatePacket and
// *Echo.
type Event interface{ event() }

// Source yields events in the order in which they were seen.
type Source interface {
	// Meta describes the recording. It is complete before the first event.
	Meta() *Meta
	// Next returns the next event, which is valid until the following call, or
	// io.EOF after an *End. Any other error, such as a *CutError or *CorruptError,
	// says where and why events ceased; those before it stand.
	Next() (Event, error)
}

// Drop is one sampled drop.
type Drop struct {
	Time     time.Duration // since Meta.Start
	CPU      int
	Drops    uint64 // how many drops of its cell this sample stands for
	Overflow bool   // counted in the overflow cell
	Cell     *Cell
	Segments uint16 // that the packet holds, 1 unless GSO or GRO joined some; 0: not known
	Len      uint32 // skb->len in bytes, headers only as far as skb->data reached back
	Packet   Packet
	Task     Task
	Context  Context
	Stack    *Stack // nil if unwinding failed
	Bytes    []byte // the packet's first bytes, if asked for
}

// Tick holds what the cells counted since the previous Tick, and sums so far.
type Tick struct {
	Time   time.Duration // since Meta.Start
	Counts []Count
	Totals Totals
	Loss   Loss
	// Gone are cells that no later event is of. Another may have their ID from then on.
	Gone []*Cell
}

// Count is what one cell counted between two ticks.
type Count struct {
	Cell         *Cell
	Drops, Bytes uint64
	Segments     uint64 // of the packets; 0: not known
}

// End closes a recording that was finished in order.
type End struct {
	Time   time.Duration // since Meta.Start
	Totals Totals
	Loss   Loss
	Stalls *StallLoss // nil if stalls were not watched for
}

func (*Drop) event() {}
func (*Tick) event() {}
func (*End) event()  {}

// Totals are sums since the start of a recording.
type Totals struct {
	Drops uint64 `json:"drops"` // drops counted in cells
	Bytes uint64 `json:"bytes"` // their skb->len
	// Segments that the packets held, at least one each. 0: not known, as packets could not
	// be read, or the recording is older.
	Segments uint64 `json:"segments,omitempty"`
	Sampled  uint64 `json:"sampled"` // samples submitted to the ring buffer
	Read     uint64 `json:"read"`    // samples read from it
}

// Loss says what could not be recorded in full. Totals include all of it but Missed.
type Loss struct {
	RingFull    uint64  `json:"ring_full"`    // samples the ring buffer had no room for
	StackFailed uint64  `json:"stack_failed"` // samples whose stack could not be unwound
	StackCut    uint64  `json:"stack_cut"`    // samples whose stack was deeper than the kernel unwinds
	StackTable  uint64  `json:"stack_table"`  // samples whose stack was one too many to keep
	Overflow    uint64  `json:"overflow"`     // drops counted, but past the room for cells
	Malformed   uint64  `json:"malformed"`    // samples that could not be decoded
	Missed      *uint64 `json:"missed"`       // drops that interrupted dropwatch itself; nil: the kernel does not say
}

// Unwound returns the number of drops that were unwound.
func Unwound(t Totals, l Loss) uint64 { return t.Sampled - min(t.Sampled, l.StackFailed) }
