// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// clients are connections of the ghost, one from each port counted from srcPort.
type clients struct {
	scene   *Scene
	send    func(frame []byte) error
	dst     netip.AddrPort
	answers *ebpf.Map // the listener's initial sequence numbers, by port
}

func (s *Scene) newClients(dst netip.AddrPort) (*clients, error) {
	if err := s.net.Rx.addNeighbour(ghost, s.net.Tx.MAC); err != nil {
		return nil, err
	}
	answers, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "lab", Type: ebpf.Array, KeySize: 4, ValueSize: 8, MaxEntries: backlog + 2,
	})
	if err != nil {
		return nil, fmt.Errorf("create BPF map: %w", err)
	}
	s.onClose(answers.Close)
	prog, err := s.program(ebpf.SchedCLS, ebpf.AttachNone, catchAnswers(answers))
	if err != nil {
		return nil, err
	}
	if err := s.net.Tx.Classify(netlink.HANDLE_MIN_INGRESS, prog); err != nil {
		return nil, err
	}
	send, err := s.sender(s.net.Tx)
	return &clients{scene: s, send: send, dst: dst, answers: answers}, err
}

// open sends a SYN and returns what sends the ACK for its answer.
func (c *clients) open(port uint16) (finish func() error, err error) {
	src := netip.AddrPortFrom(ghost, srcPort+port)
	frame := func(flags uint8, seq, ack uint32) []byte {
		packet := ip(src.Addr(), c.dst.Addr(), unix.IPPROTO_TCP, tcp(src, c.dst, flags, seq, ack))
		return ethernet(c.scene.net.Rx.MAC, c.scene.net.Tx.MAC, unix.ETH_P_IP, packet)
	}
	if err := c.send(frame(tcpSYN, 1000, 0)); err != nil {
		return nil, err
	}
	// The answer comes before anything that Rx gets later.
	if err := c.scene.fence.pass(context.Background()); err != nil {
		return nil, err
	}
	var answer uint64
	if err := c.answers.Lookup(uint32(port), &answer); err != nil {
		return nil, fmt.Errorf("get answer to SYN: %w", err)
	}
	if answer&answered == 0 {
		return nil, fmt.Errorf("get answer to SYN from %s: none", src)
	}
	return func() error { return c.send(frame(tcpACK, 1001, uint32(answer)+1)) }, nil
}

// answered tells an initial sequence number of 0 from none.
const answered = 1 << 32

// catchAnswers takes every segment for the ghost off the wire, and notes the
// sequence numbers of those with a SYN.
func catchAnswers(answers *ebpf.Map) asm.Instructions {
	ip := ghost.As4()
	addr := int32(uint32(ip[0])<<24 | uint32(ip[1])<<16 | uint32(ip[2])<<8 | uint32(ip[3]))
	return asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadAbs(atType, asm.Half), asm.JNE.Imm(asm.R0, unix.ETH_P_IP, "pass"),
		asm.LoadAbs(atDstIP, asm.Word), asm.JNE.Imm32(asm.R0, addr, "pass"),
		asm.LoadAbs(atFlags, asm.Byte), asm.And.Imm(asm.R0, tcpSYN), asm.JEq.Imm(asm.R0, 0, "steal"),
		asm.LoadAbs(atDstPort, asm.Half), asm.Sub.Imm(asm.R0, srcPort),
		asm.StoreMem(asm.RFP, -4, asm.R0, asm.Word),
		asm.LoadAbs(atSeq, asm.Word), asm.LoadImm(asm.R7, answered, asm.DWord), asm.Or.Reg(asm.R7, asm.R0),
		asm.LoadMapPtr(asm.R1, answers.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "steal"),
		asm.StoreMem(asm.R0, 0, asm.R7, asm.DWord),
		asm.Mov.Imm(asm.R0, tcSteal).WithSymbol("steal"), asm.Return(),
		asm.Mov.Imm(asm.R0, tcPass).WithSymbol("pass"), asm.Return(),
	}
}
