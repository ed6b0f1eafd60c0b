// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"

	"github.com/dropwatch/dropwatch/pkg/lab"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestNested counts drops that happen while another BPF program runs on the CPU. Classic
// tracepoints would skip them (trace_call_bpf, kernel/trace/bpf_trace.c).
func TestNested(t *testing.T) {
	labtest.NeedRoot(t)
	for _, rung := range []string{"tp_btf", "raw_tp"} {
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
			s := watchBy(t, tracer, func(*seen) {
				if err := n.Rx.Do(func() error { return dropWithin(packets) }); err != nil {
					t.Error(err)
				}
			})
			var drops uint64
			for _, c := range s.in(n.Rx.Netns) {
				drops += c.Drops
			}
			if missed := s.end.Loss.Missed; drops != packets || missed != nil && *missed != 0 {
				t.Errorf("counted %d of %d drops, missed %v", drops, packets, missed)
			}
		})
	}
}

// dropWithin has a program send packets to a device that is down, whose noop queue drops
// them before the program goes on.
func dropWithin(packets uint32) (err error) {
	down := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "down"}, PeerName: "peer"}
	if err := netlink.LinkAdd(down); err != nil {
		return err
	}
	link, err := netlink.LinkByName("down")
	if err != nil {
		return err
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS, License: "GPL",
		Instructions: asm.Instructions{
			asm.Mov.Imm(asm.R2, int32(link.Attrs().Index)),
			asm.Mov.Imm(asm.R3, 0),
			asm.FnCloneRedirect.Call(), // to send is the default
			asm.Mov.Imm(asm.R0, 0),
			asm.Return(),
		},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, program.Close()) }()
	_, err = program.Run(&ebpf.RunOptions{Data: make([]byte, 64), Repeat: packets})
	return err
}
