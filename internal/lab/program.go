// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Verdicts of tc, XDP and cgroup programs (include/uapi/linux/pkt_cls.h, bpf.h).
const (
	tcPass, tcDrop, tcSteal = 0, 2, 4
	xdpDrop, xdpPass        = 1, 2
	cgroupDrop, cgroupPass  = 0, 1
)

// Offsets in a frame that holds an IPv4 packet without options.
const (
	atType     = 12
	atProtocol = ethernetLen + 9
	atDstIP    = ethernetLen + 16
	atSrcPort  = ethernetLen + ipv4Len
	atDstPort  = atSrcPort + 2
	atSeq      = atSrcPort + 4
	atFlags    = atSrcPort + 13
)

// markOffset is that of mark in struct __sk_buff.
const markOffset = 8

// program loads a BPF program that lives as long as the scene.
func (s *Scene) program(kind ebpf.ProgramType, attach ebpf.AttachType, ins asm.Instructions) (*ebpf.Program, error) {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "lab", Type: kind, AttachType: attach, Instructions: ins, License: "Apache-2.0",
	})
	if err != nil {
		return nil, fmt.Errorf("load BPF program of type %s: %w", kind, err)
	}
	s.onClose(prog.Close)
	return prog, nil
}

// tcDropPort drops IPv4 datagrams to the port of the usual flow.
func tcDropPort() asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadAbs(atType, asm.Half), asm.JNE.Imm(asm.R0, unix.ETH_P_IP, "pass"),
		asm.LoadAbs(atProtocol, asm.Byte), asm.JNE.Imm(asm.R0, unix.IPPROTO_UDP, "pass"),
		asm.LoadAbs(atDstPort, asm.Half), asm.JNE.Imm(asm.R0, dstPort, "pass"),
		asm.Mov.Imm(asm.R0, tcDrop), asm.Return(),
		asm.Mov.Imm(asm.R0, tcPass).WithSymbol("pass"), asm.Return(),
	}
}

// xdpDropPort does the same.
func xdpDropPort() asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, 0, asm.Word), // xdp_md.data
		asm.LoadMem(asm.R3, asm.R1, 4, asm.Word), // xdp_md.data_end
		asm.Mov.Reg(asm.R4, asm.R2), asm.Add.Imm(asm.R4, atDstPort+2),
		asm.JGT.Reg(asm.R4, asm.R3, "pass"),
		asm.LoadMem(asm.R4, asm.R2, atType, asm.Half), asm.HostTo(asm.BE, asm.R4, asm.Half),
		asm.JNE.Imm(asm.R4, unix.ETH_P_IP, "pass"),
		asm.LoadMem(asm.R4, asm.R2, atProtocol, asm.Byte),
		asm.JNE.Imm(asm.R4, unix.IPPROTO_UDP, "pass"),
		asm.LoadMem(asm.R4, asm.R2, atDstPort, asm.Half), asm.HostTo(asm.BE, asm.R4, asm.Half),
		asm.JNE.Imm(asm.R4, dstPort, "pass"),
		asm.Mov.Imm(asm.R0, xdpDrop), asm.Return(),
		asm.Mov.Imm(asm.R0, xdpPass).WithSymbol("pass"), asm.Return(),
	}
}

// cgroupDropMark drops packets with a mark.
func cgroupDropMark(mark int32) asm.Instructions {
	return asm.Instructions{
		asm.LoadMem(asm.R2, asm.R1, markOffset, asm.Word),
		asm.Mov.Imm(asm.R0, cgroupPass), asm.JNE.Imm(asm.R2, mark, "out"),
		asm.Mov.Imm(asm.R0, cgroupDrop),
		asm.Return().WithSymbol("out"),
	}
}

// Classify runs a program on all packets of the host's device: parent is
// netlink.HANDLE_MIN_INGRESS or HANDLE_MIN_EGRESS. It goes with the device. What the
// kernel lacks is an error that matches errors.ErrUnsupported.
func (h *Host) Classify(parent uint32, prog *ebpf.Program) error {
	clsact := &netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: h.Ifindex, Parent: netlink.HANDLE_CLSACT, Handle: netlink.MakeHandle(0xffff, 0),
	}}
	if err := h.nl.QdiscAdd(clsact); err != nil {
		return fmt.Errorf("add clsact to %s: %w", h.Device, lacking(err, unix.ENOENT))
	}
	filter := &netlink.BpfFilter{Fd: prog.FD(), Name: "lab", DirectAction: true, FilterAttrs: netlink.FilterAttrs{
		LinkIndex: h.Ifindex, Parent: parent, Handle: 1, Priority: 1, Protocol: unix.ETH_P_ALL,
	}}
	if err := h.nl.FilterAdd(filter); err != nil {
		return fmt.Errorf("add tc program to %s: %w", h.Device, lacking(err, unix.ENOENT))
	}
	return nil
}
