// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

const (
	// cloned is the mark of clones, which the program takes off the wire.
	cloned = 0x6c616222

	// foreign is how many packets of others may be in the backlog already.
	foreign = 500
)

// multiply assembles the program of a multiplier, for a backlog of limit packets.
// Registers: r6 packet, r7 turns left, r8 drops wanted, r9 drops.
//
// It has two loops, as the verifier keeps a state for each turn of one that it does
// not know the end of, 8192 at most: the first clones as often as the backlog has
// room, whatever becomes of them; the second until there are drops enough.
func multiply(control *ebpf.Map, ifindex, limit int32) asm.Instructions {
	p := asm.Instructions{
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R2, asm.R6, markOffset, asm.Word), asm.JEq.Imm(asm.R2, cloned, "steal"),
		asm.LoadAbs(atType, asm.Half), asm.JNE.Imm(asm.R0, unix.ETH_P_IP, "pass"),
		asm.LoadAbs(atProtocol, asm.Byte), asm.JNE.Imm(asm.R0, unix.IPPROTO_UDP, "pass"),
		asm.LoadAbs(atDstPort, asm.Half), asm.JNE.Imm(asm.R0, dstPort, "pass"),
	}
	p = append(p, element(control, keyWanted, "pass")...)
	p = append(p, asm.LoadMem(asm.R8, asm.R0, 0, asm.Word),
		asm.Mov.Imm(asm.R2, cloned), asm.StoreMem(asm.R6, markOffset, asm.R2, asm.Word),
		asm.Mov.Imm(asm.R9, 0), asm.Mov.Imm(asm.R7, max(1, limit+1-foreign)))
	p = append(p, labeled("fill", clone(ifindex))...)
	p = append(p, asm.Sub.Imm(asm.R7, 1), asm.JNE.Imm(asm.R7, 0, "fill"),
		asm.Mov.Imm(asm.R7, foreign+burst))
	p = append(p, labeled("spill", clone(ifindex))...)
	p = append(p, asm.JGE.Reg(asm.R9, asm.R8, "done"),
		asm.Sub.Imm(asm.R7, 1), asm.JNE.Imm(asm.R7, 0, "spill"))
	p = append(p, labeled("done", element(control, keyDropped, "steal"))...)
	return append(p, asm.StoreMem(asm.R0, 0, asm.R9, asm.Word),
		asm.Mov.Imm(asm.R0, tcSteal).WithSymbol("steal"), asm.Return(),
		asm.Mov.Imm(asm.R0, tcPass).WithSymbol("pass"), asm.Return(),
	)
}

// clone sends a clone of the packet up the device it came by, and counts it in r9
// if the backlog refuses it: NET_RX_DROP is 1, NET_RX_SUCCESS 0.
func clone(ifindex int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, asm.R6), asm.Mov.Imm(asm.R2, ifindex), asm.Mov.Imm(asm.R3, unix.BPF_F_INGRESS),
		asm.FnCloneRedirect.Call(),
		asm.And.Imm(asm.R0, 1), asm.Add.Reg(asm.R9, asm.R0),
	}
}

// element points r0 to an element of an array, or jumps.
func element(array *ebpf.Map, key uint32, missing string) asm.Instructions {
	return asm.Instructions{
		asm.StoreImm(asm.RFP, -4, int64(key), asm.Word),
		asm.LoadMapPtr(asm.R1, array.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -4),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, missing),
	}
}

// labeled makes instructions the target of jumps.
func labeled(label string, ins asm.Instructions) asm.Instructions {
	ins[0] = ins[0].WithSymbol(label)
	return ins
}
