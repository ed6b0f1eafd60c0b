// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// perCPU holds the offsets of per-CPU variables in bytes.
type perCPU struct {
	types   *btf.Spec
	offsets map[string]int64
}

// place is a per-CPU variable, or a member of a per-CPU variable of the type named by of.
type place struct{ variable, member, of string }

const queues = "runqueues"

// The following functions list the places of a value in different kernels. On x86 preempt_count
// is a variable up to 6.1 and since 6.15, and a member of pcpu_hot in between. On arm64 it is in
// the task, where the programs read it. Pending softirqs are in irq_stat, on x86 since 6.3 in
// pcpu_hot, and since 6.15 in a variable.
func preemptCountPlaces() []place {
	return []place{{variable: "__preempt_count"}, {"pcpu_hot", "preempt_count", "pcpu_hot"}}
}

func softirqPendingPlaces() []place {
	return []place{
		{variable: "__softirq_pending"}, {"pcpu_hot", "softirq_pending", "pcpu_hot"},
		{"irq_stat", "__softirq_pending", "irq_cpustat_t"},
	}
}

func cpustatPlaces() []place { return []place{{"kernel_cpustat", "cpustat", "kernel_cpustat"}} }

// findPerCPU reads the offsets from the kernel's BTF. If pahole left the variables out, as up to
// 5.12 (scripts/link-vmlinux.sh, --skip_encoding_btf_vars), it reads them from the symbols,
// which needs CONFIG_KALLSYMS_ALL. Without either no offset is known.
func findPerCPU(types *btf.Spec) perCPU {
	p := perCPU{types: types, offsets: map[string]int64{}}
	if types == nil {
		return p
	}
	var section *btf.Datasec
	if types.TypeByName(".data..percpu", &section) == nil {
		for _, v := range section.Vars {
			if variable, ok := v.Type.(*btf.Var); ok {
				p.offsets[variable.Name] = int64(v.Offset)
			}
		}
		return p
	}
	names := []string{queues}
	for _, places := range [][]place{preemptCountPlaces(), softirqPendingPlaces(), cpustatPlaces()} {
		for _, at := range places {
			names = append(names, at.variable)
		}
	}
	found, err := symbolize.Variables(os.DirFS("/"), names...)
	if err != nil {
		return p
	}
	for name, address := range found {
		p.offsets[name] = int64(address)
	}
	return p
}

// from returns the distance in bytes from a CPU's run queue to the first place that exists in
// this kernel; 0 if it is unknown.
func (p perCPU) from(places []place) int64 {
	base, ok := p.offsets[queues]
	if !ok {
		return 0
	}
	for _, at := range places {
		offset, ok := p.offsets[at.variable]
		if !ok {
			continue
		}
		if at.member == "" {
			return offset - base
		}
		named, err := p.types.AnyTypesByName(at.of) // variables, too
		if err != nil {
			continue
		}
		for _, of := range named {
			if member, ok := memberOffset(of, at.member); ok {
				return offset + member - base
			}
		}
	}
	return 0
}

func (p perCPU) preemptCount() int64 { return p.from(preemptCountPlaces()) }

func (p perCPU) softirqPending() int64 { return p.from(softirqPendingPlaces()) }

// stolen returns the distance in bytes to the steal time, in nanoseconds: the eighth number of
// cpustat (CPUTIME_STEAL, include/linux/kernel_stat.h).
func (p perCPU) stolen() int64 {
	offset := p.from(cpustatPlaces())
	if offset == 0 {
		return 0
	}
	return offset + 7*8
}

// memberOffset returns the offset of a member in bytes, also of a member of an anonymous struct
// or union.
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

// programsNest reports whether a drop in an interrupt may run a tracepoint program while the
// same program runs on that CPU. 05b24ff9b2cf (6.2) skips and counts such runs, and introduced
// the name of the counting function. Without types programsNest returns true.
func programsNest(types *btf.Spec) bool {
	if types == nil {
		return true
	}
	var counter *btf.Func
	return types.TypeByName("bpf_prog_inc_misses_counter", &counter) != nil
}
