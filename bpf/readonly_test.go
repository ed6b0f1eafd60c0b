// SPDX-License-Identifier: Apache-2.0

package bpf_test

import (
	"slices"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/dropwatch/dropwatch/bpf"
)

// TestReadOnly looks at what the programs call: helpers that only look, or write to their
// own maps and stack. Nothing is pinned.
func TestReadOnly(t *testing.T) {
	harmless := []asm.BuiltinFunc{
		asm.FnMapLookupElem, asm.FnMapUpdateElem, asm.FnMapDeleteElem, asm.FnKtimeGetNs, asm.FnGetPrandomU32, asm.FnGetSmpProcessorId,
		asm.FnGetCurrentPidTgid, asm.FnGetCurrentComm, asm.FnGetCurrentTask, asm.FnGetCurrentTaskBtf,
		asm.FnGetCurrentCgroupId, asm.FnTaskPtRegs, asm.FnGetStack, asm.FnProbeReadKernel, asm.FnProbeReadKernelStr,
		asm.FnRingbufOutput, asm.FnRingbufReserve, asm.FnRingbufSubmit, asm.FnRingbufQuery,
	}
	for _, load := range []func() (*ebpf.CollectionSpec, error){bpf.LoadDrop, bpf.LoadStall} {
		spec, err := load()
		if err != nil {
			t.Fatal(err)
		}
		for _, program := range spec.Programs {
			for _, instruction := range program.Instructions {
				if instruction.IsBuiltinCall() && !slices.Contains(harmless, asm.BuiltinFunc(instruction.Constant)) {
					t.Errorf("%s calls %v", program.Name, asm.BuiltinFunc(instruction.Constant))
				}
				if instruction.IsKfuncCall() && instruction.Reference() != "bpf_rdonly_cast" {
					t.Errorf("%s calls %s", program.Name, instruction.Reference())
				}
			}
		}
		for _, m := range spec.Maps {
			if m.Pinning != ebpf.PinNone {
				t.Errorf("%s is pinned", m.Name)
			}
		}
	}
}
