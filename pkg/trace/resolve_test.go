// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

type names struct{}

func (names) Lookup(addr uint64) (symbolize.Symbol, bool) {
	return symbolize.Symbol{Name: fmt.Sprintf("f%x", addr), Offset: 0x10, Module: "vmlinux"}, true
}

func (names) NameAt(code uint32, function string) (string, bool) {
	return fmt.Sprintf("REASON_%d", code), false
}

// Vague is true of packets to groups that are no messages for neighbours, for the tests' sake.
func (names) Vague(_, _ string, to dropreason.Audience) bool { return to == dropreason.Group }

// record makes a ring-buffer record of a drop with a stack of the given number of frames.
func record(t testing.TB, frames int, change func(*bpf.DropRecord)) *dropRecord {
	t.Helper()
	wire := bpf.DropRecord{Key: bpf.DropCellKey{Location: 0x1000, Reason: 3, Netns: 7, Ifindex: 2}, Drops: 1}
	for i := range frames {
		wire.Stack[i] = 0x1000 + uint64(i)*0x10
	}
	wire.StackLen = int32(frames * 8)
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&wire.Comm[0])), 16), "curl")
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&wire.Device[0])), 16), "eth0")
	change(&wire)
	var rec dropRecord
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&wire)), int(unsafe.Offsetof(wire.Packet)))
	if err := rec.decode(raw); err != nil {
		t.Fatal(err)
	}
	return &rec
}

// TestNoAllocation: a sample like one before costs no memory on its way from the
// ring buffer into the recording and the summary.
func TestNoAllocation(t *testing.T) {
	r := newResolver(0, newStacks(names{}, 127), names{})
	r.netns.name = func(uint32) string { return "host" }
	rec := record(t, 30, func(*bpf.DropRecord) {})
	var file bytes.Buffer
	file.Grow(64 << 20)
	w, err := recording.NewWriter(&file, &event.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	by, err := profile.ParseDimensions(report.DefaultBy)
	if err != nil {
		t.Fatal(err)
	}
	summary := report.NewBuilder(&event.Meta{}, report.Options{By: by})
	var d event.Drop
	var loss event.Loss
	sample := func() {
		r.drop(&d, rec, &loss)
		if err := w.Write(&d); err != nil {
			t.Fatal(err)
		}
		summary.Add(&d)
	}
	sample()
	if n := testing.AllocsPerRun(1000, sample); n != 0 {
		t.Errorf("%v allocations a sample", n)
	}
	if d.Cell.Device.Name != "eth0" || d.Task.Comm != "curl" || len(d.Stack.Frames) != 30 || d.Cell.Reason.Name != "REASON_3" {
		t.Errorf("%+v", d)
	}
}

// TestStackBound: past the room for stacks they are counted as lost.
func TestStackBound(t *testing.T) {
	r := newResolver(0, newStacks(names{}, 127), names{})
	var d event.Drop
	var loss event.Loss
	for i := range maxStacks + 10 {
		r.drop(&d, record(t, 2, func(w *bpf.DropRecord) { w.Stack[1] = uint64(i) << 8 }), &loss)
	}
	if loss.StackTable != 10 || d.Stack != nil {
		t.Errorf("%d stacks lost, want 10; the last is %v", loss.StackTable, d.Stack)
	}
	// Those that are known are found all the same.
	r.drop(&d, record(t, 2, func(w *bpf.DropRecord) { w.Stack[1] = 5 << 8 }), &loss)
	if d.Stack == nil || uint64(d.Stack.Frames[1].Addr) != 5<<8 {
		t.Errorf("a known stack came as %v", d.Stack)
	}
}

// TestExtraCells: samples of the overflow cell create cells up to a bound.
func TestExtraCells(t *testing.T) {
	r := newResolver(0, newStacks(names{}, 127), names{})
	var d event.Drop
	var loss event.Loss
	for i := range maxExtraCells + 1 {
		r.drop(&d, record(t, 1, func(w *bpf.DropRecord) {
			w.Key.Reason, w.Flags = uint32(i), uint16(bpf.DropRecordFlagRECORD_OVERFLOW)
		}), &loss)
		if i == 0 && (d.Cell.Overflow || !d.Overflow) {
			t.Errorf("the first is %+v", d)
		}
	}
	if !d.Cell.Overflow || d.Cell.Device.Name != "" {
		t.Errorf("one too many is %+v", d.Cell)
	}
}

func TestTrim(t *testing.T) {
	frame := func(addr uint64, symbol, module string) *event.Frame {
		return &event.Frame{Addr: event.Address(addr), Symbol: symbol, Module: module}
	}
	frames := []*event.Frame{
		frame(1, "bpf_prog_x_kfree_skb", "bpf"), frame(2, "bpf_trace_run4", "vmlinux"),
		frame(3, "__traceiter_kfree_skb", "vmlinux"), frame(4, "sk_skb_reason_drop", "vmlinux"),
		frame(5, "nft_do_chain", "vmlinux"), frame(6, "kfree_skb", "vmlinux"),
	}
	for location, want := range map[uint64]string{5: "nft_do_chain", 6: "kfree_skb", 99: "nft_do_chain"} {
		if got := trim(frames, location)[0].Symbol; got != want {
			t.Errorf("location %d: begins with %s, want %s", location, got, want)
		}
	}
	if got := trim(frames[:2], 99); len(got) != 2 {
		t.Errorf("nothing but the tracer: %d frames, want all", len(got))
	}
}

func TestFairShare(t *testing.T) {
	for name, test := range map[string]struct {
		rates []float64
		want  float64
	}{
		"nothing":             {nil, 1000},
		"below the budget":    {[]float64{10, 500}, 1000},
		"one storm":           {[]float64{400_000}, 1000},
		"storm and rare":      {[]float64{400_000, 10}, 990},
		"two storms":          {[]float64{400_000, 300_000}, 500},
		"storms of all sizes": {[]float64{1e6, 1e5, 300, 50}, 325},
		"many":                {[]float64{1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6}, 125},
	} {
		t.Run(name, func(t *testing.T) {
			share := fairShare(test.rates, 1000)
			if math.Abs(share-test.want) > 1e-9 {
				t.Errorf("%v, want %v", share, test.want)
			}
			var sum float64
			for _, rate := range test.rates {
				sum += min(rate, share)
			}
			if sum > 1000+1e-9 {
				t.Errorf("%v samples a second with that", sum)
			}
		})
	}
}

func (names) Find(string) (uint64, bool) { return 0, false }

// TestSort: the last byte of a key is the socket's family without an ethertype, and says
// with one whether a packet went to a group.
func TestSort(t *testing.T) {
	r := newResolver(0, newStacks(names{}, 127), names{})
	group := uint8(bpf.DropPacketSortSORT_GROUP)
	for name, test := range map[string]struct {
		key    bpf.DropCellKey
		vague  bool
		family uint8
	}{
		"a group":          {bpf.DropCellKey{Location: 1, Ethertype: event.EthertypeIPv4, Sort: group}, true, 0},
		"neighbours":       {bpf.DropCellKey{Location: 1, Ethertype: event.EthertypeIPv4, L4: 2, Sort: group}, false, 0},
		"IPv6 neighbours":  {bpf.DropCellKey{Location: 1, Ethertype: event.EthertypeIPv6, L4: 58, Sort: group}, false, 0},
		"IGMP of IPv6":     {bpf.DropCellKey{Location: 1, Ethertype: event.EthertypeIPv6, L4: 2, Sort: group}, true, 0},
		"one host":         {bpf.DropCellKey{Location: 1, Ethertype: event.EthertypeIPv4}, false, 0},
		"a family":         {bpf.DropCellKey{Location: 1, Sort: 10}, false, 10},
		"a family of that": {bpf.DropCellKey{Location: 1, Sort: group}, false, group},
	} {
		t.Run(name, func(t *testing.T) {
			if c := r.cell(&test.key, false); c.Reason.Vague != test.vague || c.Family != test.family {
				t.Errorf("%+v", c)
			}
		})
	}
}
