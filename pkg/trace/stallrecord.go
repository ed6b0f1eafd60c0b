// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"bytes"
	"fmt"
	"slices"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// stallRecord is a record of the stalls ring as the program sent it, with codes and addresses
// instead of names. Type says which of the structs is valid.
type stallRecord struct {
	Type   bpf.StallRecordType
	Window bpf.StallWindow
	Sample bpf.StallCpuSample
	Packet bpf.StallLatePacket // of an echo too
}

// decode reads a record. It keeps no reference to raw.
func (r *stallRecord) decode(raw []byte) error {
	if len(raw) < int(unsafe.Sizeof(bpf.StallHeader{})) {
		return fmt.Errorf("decode stall record of %d bytes: shorter than its header", len(raw))
	}
	r.Type = bpf.StallRecordType((*bpf.StallHeader)(unsafe.Pointer(unsafe.SliceData(raw))).Type)
	switch r.Type {
	case bpf.StallRecordTypeSTALL_WINDOW:
		if err := copyRecord(&r.Window, raw); err != nil {
			return fmt.Errorf("decode window: %w", err)
		}
		if int(r.Window.Edges) > len(r.Window.Edge) {
			return fmt.Errorf("decode window: %d edges", r.Window.Edges)
		}
	case bpf.StallRecordTypeSTALL_SAMPLE:
		if err := copyRecord(&r.Sample, raw); err != nil {
			return fmt.Errorf("decode sample: %w", err)
		}
		if s := &r.Sample; int(s.StackLen) > len(s.Stack)*8 || int(s.UserLen) > len(s.User)*8 || int(s.PathLen) > len(s.Path) {
			return fmt.Errorf("decode sample: stacks of %d and %d bytes, path of %d", s.StackLen, s.UserLen, s.PathLen)
		}
	case bpf.StallRecordTypeSTALL_PACKET, bpf.StallRecordTypeSTALL_ECHO:
		if err := copyRecord(&r.Packet, raw); err != nil {
			return fmt.Errorf("decode late packet: %w", err)
		}
		if int(r.Packet.PacketLen) > len(r.Packet.Packet) {
			return fmt.Errorf("decode late packet of %d bytes", r.Packet.PacketLen)
		}
	default:
		return fmt.Errorf("decode stall record: unknown type %d", r.Type)
	}
	return nil
}

// copyRecord copies a record into a struct. The record has the size of the struct or up to 8
// bytes more, because the ring buffer rounds up.
func copyRecord[T any](to *T, raw []byte) error {
	size := int(unsafe.Sizeof(*to))
	if len(raw) < size || len(raw) > size+8 {
		return fmt.Errorf("%d bytes instead of %d", len(raw), size)
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(to)), size), raw)
	return nil
}

// pathOf joins the names of a path. The program lists them from the file up, each with a
// terminating zero.
func pathOf(names []int8) string {
	all := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(names))), len(names))
	parts := bytes.Split(bytes.TrimSuffix(all, []byte{0}), []byte{0})
	slices.Reverse(parts)
	return "/" + event.Text(bytes.Join(parts, []byte("/")))
}
