// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"github.com/cilium/ebpf/btf"
)

// preemptCountOffset returns the distance from a CPU's run queue to its
// preempt_count, both per-CPU variables, or 0 if the kernel's BTF does not tell.
// On x86 the count is __preempt_count up to 6.1 and since 6.15, and a member of
// pcpu_hot in between; arm64 keeps it in the task, which the programs read themselves.
func preemptCountOffset(types *btf.Spec) int64 {
	var section *btf.Datasec
	if types.TypeByName(".data..percpu", &section) != nil {
		return 0
	}
	var queues, count int64
	for _, v := range section.Vars {
		variable, ok := v.Type.(*btf.Var)
		if !ok {
			continue
		}
		switch variable.Name {
		case "runqueues":
			queues = int64(v.Offset)
		case "__preempt_count":
			count = int64(v.Offset)
		case "pcpu_hot":
			if offset, ok := memberOffset(variable.Type, "preempt_count"); ok {
				count = int64(v.Offset) + offset
			}
		}
	}
	if queues == 0 || count == 0 {
		return 0
	}
	return count - queues
}

// memberOffset finds a member, also within anonymous structs and unions; bytes.
func memberOffset(t btf.Type, name string) (int64, bool) {
	var members []btf.Member
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return int64(m.Offset.Bytes()), true
		}
		if m.Name == "" {
			if inner, ok := memberOffset(m.Type, name); ok {
				return int64(m.Offset.Bytes()) + inner, true
			}
		}
	}
	return 0, false
}

// programsNest reports whether a drop in an interrupt may run a tracepoint program
// within itself. 05b24ff9b2cf (6.2) skips and counts such drops, and gave the
// counting function its name.
func programsNest(types *btf.Spec) bool {
	var counter *btf.Func
	return types.TypeByName("bpf_prog_inc_misses_counter", &counter) != nil
}
