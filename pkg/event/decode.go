// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
)

// Offsets in a record. Go makes a struct that ends in an empty array larger than
// C does, so its size must not be used.
const (
	stackStart  = int(unsafe.Offsetof(bpf.DropRecord{}.Stack))
	packetStart = int(unsafe.Offsetof(bpf.DropRecord{}.Packet))
)

// Record is a sampled drop as the kernel sent it: codes and addresses instead of
// names. Stack and Packet belong to the Record and last until the next Decode.
type Record struct {
	bpf.DropRecord
	packet []byte
}

// Decode reads a ring-buffer record. It keeps no reference to raw.
func (r *Record) Decode(raw []byte) error {
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

// Has reports whether a flag is set.
func (r *Record) Has(flag bpf.DropRecordFlag) bool { return r.Flags&uint16(flag) != 0 }

// Addresses returns the stack as the kernel unwound it, innermost first.
func (r *Record) Addresses() []uint64 { return r.Stack[:max(0, int(r.StackLen))/8] }

// Bytes returns the first bytes of the packet, from the link-layer header if it
// has one and else from the network header.
func (r *Record) Bytes() []byte { return r.packet }

// Headers parses the packet's headers.
func (r *Record) Headers() Packet {
	var p Packet
	if r.Has(bpf.DropRecordFlagRECORD_VLAN) { // taken off or not put in yet, so outermost
		p.tag(r.VlanTci)
	}
	l3 := min(int(r.L3), len(r.packet))
	before := r.packet[:l3]
	const types = 12 // bytes of an Ethernet header before its type
	switch {
	case !r.Has(bpf.DropRecordFlagRECORD_L2): // nothing but tags
		p.tags(EthertypeVLAN, before)
	case l3 > types+2:
		p.tags(binary.BigEndian.Uint16(before[types:]), before[types+2:])
	}
	p.parse(r.Ethertype, r.packet[l3:])
	if r.Key.Ethertype == OtherEthertype {
		p.Ethertype = r.Ethertype
	}
	return p
}

// CommBytes returns the interrupted task's comm as the kernel keeps it.
func (r *Record) CommBytes() []byte { return Chars(&r.Comm) }

// DeviceBytes returns the device's name as the kernel keeps it.
func (r *Record) DeviceBytes() []byte { return Chars(&r.Device) }

// Chars returns a C string of the kernel, without its zero.
func Chars(chars *[16]int8) []byte {
	b := (*[16]byte)(unsafe.Pointer(chars))[:]
	if i := slices.Index(b, 0); i >= 0 {
		b = b[:i]
	}
	return b
}
