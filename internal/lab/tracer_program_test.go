// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// Slots on the program's stack.
const (
	slotPointer = -8 - 8*iota
	slotDevNetns
	slotSockNetns
)

// A tracerAsm assembles the tracer. Registers: r6 context, r7 skb, r8 record, r9 a
// pointer that was followed.
type tracerAsm struct {
	t    *testing.T
	code asm.Instructions
}

func tracerProgram(t *testing.T, ring, watched *ebpf.Map) asm.Instructions {
	a := &tracerAsm{t: t}
	a.add(asm.Mov.Reg(asm.R6, asm.R1), asm.LoadMem(asm.R7, asm.R6, 0, asm.DWord))
	a.namespaces()
	a.lookup(watched, slotDevNetns)
	a.add(asm.JNE.Imm(asm.R0, 0, "watched"))
	a.lookup(watched, slotSockNetns)
	a.add(asm.JEq.Imm(asm.R0, 0, "out"))
	a.add(asm.LoadMapPtr(asm.R1, ring.FD()).WithSymbol("watched"),
		asm.Mov.Imm(asm.R2, int32(binary.Size(death{}))), asm.Mov.Imm(asm.R3, 0),
		asm.FnRingbufReserve.Call(), asm.JEq.Imm(asm.R0, 0, "out"), asm.Mov.Reg(asm.R8, asm.R0))
	a.record()
	a.add(asm.Mov.Reg(asm.R1, asm.R8), asm.Mov.Imm(asm.R2, 0), asm.FnRingbufSubmit.Call(),
		asm.Mov.Imm(asm.R0, 0).WithSymbol("out"), asm.Return())
	return a.code
}

// namespaces reads the numbers of those of the device and of the socket.
func (a *tracerAsm) namespaces() {
	inum := offsetOf(a.t, "net", "ns") + offsetOf(a.t, "ns_common", "inum")
	a.follow(asm.R7, offsetOf(a.t, "sk_buff", "dev"))
	a.follow(asm.R9, offsetOf(a.t, "net_device", "nd_net"))
	a.read(asm.RFP, slotDevNetns, 4, asm.R9, inum)
	if rxSocket(a.t) {
		a.add(asm.LoadMem(asm.R9, asm.R6, 24, asm.DWord), asm.JNE.Imm(asm.R9, 0, "socket"))
	}
	a.follow(asm.R7, offsetOf(a.t, "sk_buff", "sk"))
	a.add(asm.Mov.Reg(asm.R9, asm.R9).WithSymbol("socket"))
	a.follow(asm.R9, offsetOf(a.t, "sock", "skc_net"))
	a.read(asm.RFP, slotSockNetns, 4, asm.R9, inum)
}

// record fills in the record.
func (a *tracerAsm) record() {
	at := func(field string) int16 { return recordOffset(a.t, field) }
	skb := func(member string) int32 { return offsetOf(a.t, "sk_buff", member) }
	a.add(asm.LoadMem(asm.R1, asm.RFP, slotDevNetns, asm.Word), asm.StoreMem(asm.R8, at("DevNetns"), asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, slotSockNetns, asm.Word), asm.StoreMem(asm.R8, at("SockNetns"), asm.R1, asm.Word),
		asm.LoadMem(asm.R1, asm.R6, 16, asm.DWord), asm.StoreMem(asm.R8, at("Reason"), asm.R1, asm.Word))
	a.read(asm.R8, at("Iif"), 4, asm.R7, skb("skb_iif"))
	a.read(asm.R8, at("Protocol"), 2, asm.R7, skb("protocol"))
	a.read(asm.R8, at("Network"), 2, asm.R7, skb("network_header"))
	a.follow(asm.R7, skb("dev"))
	a.read(asm.R8, at("Ifindex"), 4, asm.R9, offsetOf(a.t, "net_device", "ifindex"))
	a.follow(asm.R7, skb("_skb_refdst"))
	a.add(asm.And.Imm(asm.R9, -2)) // SKB_DST_NOREF
	a.follow(asm.R9, offsetOf(a.t, "dst_entry", "dev"))
	a.read(asm.R8, at("Route"), 4, asm.R9, offsetOf(a.t, "net_device", "ifindex"))
	a.follow(asm.R7, skb("head"))
	a.add(asm.LoadMem(asm.R1, asm.R8, at("Network"), asm.Half), asm.Add.Reg(asm.R9, asm.R1))
	a.read(asm.R8, at("Packet"), packetBytes, asm.R9, 0)
	a.add(asm.Mov.Reg(asm.R1, asm.R6),
		asm.Mov.Reg(asm.R2, asm.R8), asm.Add.Imm(asm.R2, int32(at("Stack"))),
		asm.Mov.Imm(asm.R3, stackFrames*8), asm.Mov.Imm(asm.R4, 0),
		asm.FnGetStack.Call(), asm.StoreMem(asm.R8, at("StackBytes"), asm.R0, asm.Word))
}

func (a *tracerAsm) add(ins ...asm.Instruction) {
	a.code = append(a.code, ins...)
}

// read copies size bytes at an offset from a pointer into memory.
func (a *tracerAsm) read(to asm.Register, at int16, size int32, from asm.Register, offset int32) {
	a.add(asm.Mov.Reg(asm.R1, to), asm.Add.Imm(asm.R1, int32(at)), asm.Mov.Imm(asm.R2, size),
		asm.Mov.Reg(asm.R3, from), asm.Add.Imm(asm.R3, offset), asm.FnProbeReadKernel.Call())
}

// follow loads the pointer at an offset from another into r9.
func (a *tracerAsm) follow(from asm.Register, offset int32) {
	a.read(asm.RFP, slotPointer, 8, from, offset)
	a.add(asm.LoadMem(asm.R9, asm.RFP, slotPointer, asm.DWord))
}

// lookup looks a 4-byte key on the stack up.
func (a *tracerAsm) lookup(m *ebpf.Map, key int32) {
	a.add(asm.LoadMapPtr(asm.R1, m.FD()), asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, key),
		asm.FnMapLookupElem.Call())
}
