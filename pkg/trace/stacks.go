// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"hash/maphash"
	"strings"
	"unsafe"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// maxStacks is the largest number of different stacks; a node has hundreds.
const maxStacks = 1 << 15

// stacks returns the same pointer for equal stacks, and names the frames of new ones.
type stacks struct {
	names  symbols
	most   int // largest number of frames that the kernel unwinds
	seed   maphash.Seed
	frames map[uint64]*event.Frame
	known  map[uint64][]stack // by hash
	count  int
}

type stack struct {
	addresses []uint64 // before trim
	*event.Stack
}

func newStacks(names symbols, most int) *stacks {
	return &stacks{
		names: names, most: most, seed: maphash.MakeSeed(),
		frames: map[uint64]*event.Frame{}, known: map[uint64][]stack{},
	}
}

// frame returns the frame at an address. The frame of the address 0 has no symbol.
func (s *stacks) frame(addr uint64) *event.Frame {
	if f, ok := s.frames[addr]; ok {
		return f
	}
	f := &event.Frame{ID: len(s.frames), Addr: event.Address(addr)}
	if symbol, ok := s.names.Lookup(addr); ok {
		f.Symbol, f.Offset, f.Module = event.Text([]byte(symbol.Name)), symbol.Offset, event.Text([]byte(symbol.Module))
	}
	s.frames[addr] = f
	return f
}

// location returns the frame of the code that frees a packet. Its address is a return address,
// or the address of a function for packets that net_tx_action frees for a driver
// (net/core/dev.c).
func (s *stacks) location(addr uint64) *event.Frame {
	f := s.frame(addr)
	// Lookup names the byte before its argument; addr+1 names the byte at addr.
	if symbol, ok := s.names.Lookup(addr + 1); ok && symbol.Offset == 1 {
		f.Symbol, f.Offset, f.Module = event.Text([]byte(symbol.Name)), 0, event.Text([]byte(symbol.Module))
	}
	return f
}

// find returns the stack of addresses, innermost first, or nil if there are too many different
// stacks.
func (s *stacks) find(addresses []uint64, location uint64) *event.Stack {
	hash := maphash.Bytes(s.seed, unsafe.Slice((*byte)(unsafe.Pointer(&addresses[0])), 8*len(addresses)))
	for _, known := range s.known[hash] {
		if equal(known.addresses, addresses) {
			return known.Stack
		}
	}
	if s.count >= maxStacks {
		return nil
	}
	st := stack{append([]uint64(nil), addresses...), &event.Stack{ID: s.count, Cut: len(addresses) >= s.most}}
	for _, addr := range addresses {
		st.Frames = append(st.Frames, s.frame(addr))
	}
	st.Frames = trim(st.Frames, location)
	s.known[hash] = append(s.known[hash], st)
	s.count++
	return st.Stack
}

func equal(a, b []uint64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// trim removes the frames of the tracer and of the kernel's freeing functions, so that on every
// kernel a stack begins with the code that dropped the packet. The tracepoint's location is the
// return address in that code. If no frame has that address, because the compiler inlined the
// call, trim goes by the names of functions.
func trim(frames []*event.Frame, location uint64) []*event.Frame {
	for i, f := range frames {
		if uint64(f.Addr) == location {
			return frames[i:]
		}
	}
	for i, f := range frames {
		if !freeing(f) {
			return frames[i:]
		}
	}
	return frames
}

func freeing(f *event.Frame) bool {
	switch f.Symbol {
	case "kfree_skb", "__kfree_skb", "kfree_skb_reason", "kfree_skb_list_reason",
		"__kfree_skb_reason", "sk_skb_reason_drop", "kfree_skb_list", "skb_queue_purge_reason":
		return true
	}
	return f.Module == "bpf" || strings.HasPrefix(f.Symbol, "bpf_trace_run") ||
		strings.HasPrefix(f.Symbol, "__traceiter_") || strings.HasPrefix(f.Symbol, "__bpf_trace_")
}
