// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// udp4 is an IPv4 UDP packet, 10.0.0.1:4000 > 10.0.0.2:53.
var udp4 = []byte{
	0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2,
	0x0f, 0xa0, 0, 53, 0, 8, 0, 0,
}

// wire spells a record as the kernel does, with room bytes behind it.
func wire(rec bpf.DropRecord, packet []byte, room int) []byte {
	raw := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&rec)), packetStart)...)
	return append(raw, append(packet, make([]byte, room-len(packet))...)...)
}

func charsOf(s string) (c [16]int8) {
	for i := range s {
		c[i] = int8(s[i])
	}
	return c
}

func TestRecord(t *testing.T) {
	rec := bpf.DropRecord{
		Key:     bpf.DropCellKey{Location: 0xffffffff81000010, Reason: 3, Ifindex: 7, Netns: 99, Ethertype: event.EthertypeIPv4, L4: 17},
		TimeNs:  12,
		Drops:   5,
		Flags:   uint16(bpf.DropRecordFlagRECORD_L2 | bpf.DropRecordFlagRECORD_VLAN),
		VlanTci: 0x6005,
		L3:      14, Ethertype: event.EthertypeIPv4,
		StackLen: 16,
		Comm:     charsOf("curl"),
		Device:   charsOf("0123456789abcdef"),
	}
	rec.Stack[0], rec.Stack[1] = 0xffffffff81000010, 0xffffffff81000020
	packet := append(make([]byte, 14), udp4...)
	rec.PacketLen = uint16(len(packet))

	var got dropRecord
	if err := got.decode(wire(rec, packet, 128)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]uint64{0xffffffff81000010, 0xffffffff81000020}, got.addresses()); diff != "" {
		t.Errorf("addresses (-want +got):\n%s", diff)
	}
	if comm, device := string(got.comm()), string(got.device()); comm != "curl" || device != "0123456789abcdef" {
		t.Errorf("comm %q, device %q", comm, device)
	}
	want := event.Packet{
		HasVLAN: true, VLAN: 5, Version: 4, Protocol: 17, TTL: 64, SrcPort: 4000, DstPort: 53,
		Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
	}
	if diff := cmp.Diff(want, got.headers(), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// TestRecordTags has VLAN tags where the kernel keeps them: beside the packet, in the link
// layer's header, and before the network header of a packet without one.
func TestRecordTags(t *testing.T) {
	outer, inner := []byte{0x88, 0xa8, 0x40, 9}, []byte{0x81, 0, 0x60, 7}
	addresses, ip := make([]byte, 12), []byte{8, 0}
	const l2, accelerated = uint16(bpf.DropRecordFlagRECORD_L2), uint16(bpf.DropRecordFlagRECORD_VLAN)
	for name, test := range map[string]struct {
		flags         uint16
		before        []byte
		vlan, innerID uint16
	}{
		"none":                        {l2, slices.Concat(addresses, ip), 0, 0},
		"accelerated":                 {l2 | accelerated, slices.Concat(addresses, ip), 5, 0},
		"in the frame":                {l2, slices.Concat(addresses, inner, ip), 7, 0},
		"accelerated over one":        {l2 | accelerated, slices.Concat(addresses, inner, ip), 5, 7},
		"two in the frame":            {l2, slices.Concat(addresses, outer, inner, ip), 9, 7},
		"three":                       {l2 | accelerated, slices.Concat(addresses, outer, inner, ip), 5, 9},
		"no link header":              {0, slices.Concat(inner[2:], ip), 7, 0},
		"no link header, two":         {0, slices.Concat(outer[2:], inner, ip), 9, 7},
		"another link layer's header": {l2, append(make([]byte, 18), ip...), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			packet := append(slices.Clone(test.before), udp4...)
			rec := bpf.DropRecord{
				Key: bpf.DropCellKey{Ethertype: event.EthertypeIPv4, L4: 17}, Ethertype: event.EthertypeIPv4, Flags: test.flags,
				VlanTci: 0x4005, L3: uint16(len(test.before)), PacketLen: uint16(len(packet)),
			}
			var got dropRecord
			if err := got.decode(wire(rec, packet, 128)); err != nil {
				t.Fatal(err)
			}
			p := got.headers()
			if p.HasVLAN != (test.vlan != 0) || p.VLAN != test.vlan || p.HasInner != (test.innerID != 0) || p.Inner != test.innerID {
				t.Errorf("vlan %d and %d, want %d and %d", p.VLAN, p.Inner, test.vlan, test.innerID)
			}
			if p.Version != 4 || p.DstPort != 53 {
				t.Errorf("%+v", p)
			}
		})
	}
}

func TestRecordErrors(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*bpf.DropRecord)
		cut    int
		want   string
	}{
		"short":             {func(*bpf.DropRecord) {}, 129, "shorter than"},
		"long stack":        {func(r *bpf.DropRecord) { r.StackLen = 128 * 8 }, 0, "stack of 1024 bytes"},
		"odd stack":         {func(r *bpf.DropRecord) { r.StackLen = 12 }, 0, "stack of 12 bytes"},
		"long packet":       {func(r *bpf.DropRecord) { r.PacketLen = 129 }, 0, "packet of 129 bytes in 128"},
		"header outside":    {func(r *bpf.DropRecord) { r.PacketLen, r.L3 = 20, 21 }, 0, "network header at 21 of 20"},
		"no packet, any l3": {func(r *bpf.DropRecord) { r.L3 = 21 }, 0, ""},
		"failed stack":      {func(r *bpf.DropRecord) { r.StackLen = -14 }, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var rec bpf.DropRecord
			test.change(&rec)
			raw := wire(rec, nil, 128)
			var got dropRecord
			err := got.decode(raw[:len(raw)-test.cut])
			switch {
			case test.want == "" && err != nil:
				t.Fatal(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Fatalf("error %v, want %q", err, test.want)
			case test.want == "" && len(got.addresses()) != 0:
				t.Errorf("%d addresses, want none", len(got.addresses()))
			}
		})
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(wire(bpf.DropRecord{StackLen: 8, PacketLen: 28}, udp4, 128))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var rec dropRecord
		if rec.decode(raw) != nil {
			return
		}
		if n := len(rec.addresses()); n > 127 {
			t.Errorf("%d addresses", n)
		}
		if len(rec.bytes()) > len(raw) {
			t.Errorf("%d packet bytes of %d", len(rec.bytes()), len(raw))
		}
		p := rec.headers()
		if p.Version != 0 && (!p.Src.IsValid() || !p.Dst.IsValid()) {
			t.Errorf("IP version %d without addresses", p.Version)
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	rec := bpf.DropRecord{StackLen: 30 * 8, PacketLen: uint16(len(udp4)), Key: bpf.DropCellKey{Ethertype: event.EthertypeIPv4}}
	raw := wire(rec, udp4, 128)
	var got dropRecord
	b.ReportAllocs()
	for b.Loop() {
		if err := got.decode(raw); err != nil {
			b.Fatal(err)
		}
		got.headers()
	}
}
