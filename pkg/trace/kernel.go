// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"github.com/cilium/ebpf/btf"
)

// perCPU returns the distance from a CPU's run queue to another of its per-CPU
// variables, or to a member of one, the first of these that there is; 0 if the
// kernel's BTF does not tell.
func perCPU(types *btf.Spec, places ...place) int64 {
	var section *btf.Datasec
	if types.TypeByName(".data..percpu", &section) != nil {
		return 0
	}
	variables := map[string]btf.VarSecinfo{}
	for _, v := range section.Vars {
		if variable, ok := v.Type.(*btf.Var); ok {
			variables[variable.Name] = v
		}
	}
	queues, ok := variables["runqueues"]
	if !ok {
		return 0
	}
	for _, p := range places {
		v, ok := variables[p.variable]
		if !ok {
			continue
		}
		if p.member == "" {
			return int64(v.Offset) - int64(queues.Offset)
		}
		if offset, ok := memberOffset(v.Type.(*btf.Var).Type, p.member); ok {
			return int64(v.Offset) + offset - int64(queues.Offset)
		}
	}
	return 0
}

// place is a per-CPU variable or a member of it.
type place struct{ variable, member string }

// preemptCountOffset is that of preempt_count. On x86 it is __preempt_count up to
// 6.1 and since 6.15, and a member of pcpu_hot in between; arm64 keeps it in the
// task, which the programs read themselves.
func preemptCountOffset(types *btf.Spec) int64 {
	return perCPU(types, place{variable: "__preempt_count"}, place{"pcpu_hot", "preempt_count"})
}

// softirqPendingOffset is that of the mask of pending softirqs: in irq_stat, but on
// x86 since 6.3 in pcpu_hot, and a variable since 6.15.
func softirqPendingOffset(types *btf.Spec) int64 {
	return perCPU(types,
		place{variable: "__softirq_pending"}, place{"pcpu_hot", "softirq_pending"}, place{"irq_stat", "__softirq_pending"})
}

// stolenOffset is that of the time the hypervisor kept, in nanoseconds: the eighth
// number of cpustat (CPUTIME_STEAL, include/linux/kernel_stat.h).
func stolenOffset(types *btf.Spec) int64 {
	offset := perCPU(types, place{"kernel_cpustat", "cpustat"})
	if offset == 0 {
		return 0
	}
	return offset + 7*8
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
