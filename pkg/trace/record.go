// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Offsets in a record. In Go a struct that ends in an empty array is larger than in C, so its
// size must not be used.
const (
	stackStart  = int(unsafe.Offsetof(bpf.DropRecord{}.Stack))
	packetStart = int(unsafe.Offsetof(bpf.DropRecord{}.Packet))
)

// dropRecord is a sampled drop as the program sent it, with codes and addresses instead of
// names. Stack and packet are valid until the next decode.
type dropRecord struct {
	bpf.DropRecord
	packet []byte
}

// decode reads a ring-buffer record. It keeps no reference to raw.
func (r *dropRecord) decode(raw []byte) error {
	if len(raw) < packetStart {
		return fmt.Errorf("decode sample of %d bytes: shorter than %d", len(raw), packetStart)
	}
	memory := unsafe.Slice((*byte)(unsafe.Pointer(&r.DropRecord)), packetStart)
	copy(memory, raw[:stackStart])
	stack, packet := max(0, int(r.StackLen)), int(r.PacketLen)
	switch {
	case stack > packetStart-stackStart || stack%8 != 0:
		return fmt.Errorf("decode sample: stack of %d bytes", stack)
	case packet > len(raw)-packetStart:
		return fmt.Errorf("decode sample: packet of %d bytes in %d", packet, len(raw)-packetStart)
	case int(r.L3) > packet && packet > 0:
		return fmt.Errorf("decode sample: network header at %d of %d", r.L3, packet)
	}
	copy(memory[stackStart:], raw[stackStart:stackStart+stack])
	r.packet = append(r.packet[:0], raw[packetStart:packetStart+packet]...)
	return nil
}

// has reports whether a flag is set.
func (r *dropRecord) has(flag bpf.DropRecordFlag) bool { return r.Flags&uint16(flag) != 0 }

// addresses returns the stack as the kernel unwound it, innermost first.
func (r *dropRecord) addresses() []uint64 { return r.Stack[:max(0, int(r.StackLen))/8] }

// bytes returns the first bytes of the packet, from the link-layer header on if it has one, else
// from the network header on.
func (r *dropRecord) bytes() []byte { return r.packet }

// headers parses the packet's headers.
func (r *dropRecord) headers() event.Packet {
	var p event.Packet
	if r.has(bpf.DropRecordFlagRECORD_VLAN) { // not in the packet's bytes, so outermost
		p.AddTag(r.VlanTci)
	}
	l3 := min(int(r.L3), len(r.packet))
	before := r.packet[:l3]
	const types = 12 // bytes of an Ethernet header before its type
	switch {
	case !r.has(bpf.DropRecordFlagRECORD_L2): // only tags before the network header
		p.AddTags(event.EthertypeVLAN, before)
	case l3 > types+2:
		p.AddTags(binary.BigEndian.Uint16(before[types:]), before[types+2:])
	}
	p.Parse(r.Ethertype, r.packet[l3:])
	if r.Key.Ethertype == event.OtherEthertype {
		p.Ethertype = r.Ethertype
	}
	return p
}

// comm returns the comm of the interrupted task, not escaped.
func (r *dropRecord) comm() []byte { return chars(&r.Comm) }

// device returns the name of the device, not escaped.
func (r *dropRecord) device() []byte { return chars(&r.Device) }

// chars returns a C string without its terminating zero.
func chars(array *[16]int8) []byte {
	b := (*[16]byte)(unsafe.Pointer(array))[:]
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return b
}
