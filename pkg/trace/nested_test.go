// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestNested counts drops that happen while another BPF program runs on the CPU. Classic
// tracepoints would skip them if it were a kprobe's, or a classic tracepoint's, too
// (trace_call_bpf, kernel/trace/bpf_trace.c).
func TestNested(t *testing.T) {
	labtest.NeedRoot(t)
	for _, rung := range trace.Rungs() {
		t.Run(rung, func(t *testing.T) {
			n, err := lab.NewNet()
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			tracer, err := trace.OpenBy(trace.Config{}, rung)
			if err != nil {
				t.Fatal(err)
			}
			const packets = 50
			var device int
			s := watchBy(t, tracer, func(*seen) {
				if err := n.Rx.Do(func() (err error) { device, err = dropWithin("down", packets); return err }); err != nil {
					t.Error(err)
				}
			})
			var drops uint64
			for _, c := range s.in(n.Rx.Netns) {
				if c.Cell.Device.Index == device {
					drops += c.Drops
				}
			}
			if drops != packets {
				t.Errorf("counted %d of %d drops", drops, packets)
			}
			if missed := s.end.Loss.Missed; missed != nil && *missed != 0 {
				t.Errorf("missed %d drops", *missed)
			}
		})
	}
}

// dropWithin has a program send packets to a new device that is down, whose noop queue
// drops them before the program goes on. It returns the device's index.
func dropWithin(name string, packets uint32) (device int, err error) {
	down := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: name + "-peer"}
	if err := netlink.LinkAdd(down); err != nil {
		return 0, err
	}
	link, err := netlink.LinkByName(name)
	if err != nil {
		return 0, err
	}
	device = link.Attrs().Index
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS, License: "GPL",
		Instructions: asm.Instructions{
			asm.Mov.Imm(asm.R2, int32(device)),
			asm.Mov.Imm(asm.R3, 0),
			asm.FnCloneRedirect.Call(), // to send is the default
			asm.Mov.Imm(asm.R0, 0),
			asm.Return(),
		},
	})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	_, err = program.Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: packets})
	return device, err
}
