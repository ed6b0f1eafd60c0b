// SPDX-License-Identifier: Apache-2.0

package node

import (
	"strconv"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Load is the work of CPUs and devices since boot. The difference of two is the work in
// between.
type Load struct {
	CPUs       map[int]CPUTime
	NetRX      map[int]uint64         // NET_RX softirqs by CPU
	Interrupts map[int]map[int]uint64 // by number, then by CPU
	RxPackets  map[string]uint64      // by device of the reader's own namespace
	Ksoftirqd  map[int]Thread
}

// CPUTime is the time of a CPU, in steps of 10 ms.
type CPUTime struct {
	Total   time.Duration
	Softirq time.Duration // including ksoftirqd (kernel/sched/cputime.c)
	Steal   time.Duration // while the hypervisor ran something else
}

// Thread is a kernel thread.
type Thread struct {
	PID  int
	Time time.Duration // user and system time
}

// tick is the unit of times in /proc: USER_HZ is 100 on each architecture that Go supports.
const tick = 10 * time.Millisecond

// tickBits bounds a number of ticks to 21 years, so that eight of them fit a duration.
const tickBits = 36

// ReadLoad reads everything once. Maps that it cannot read stay empty.
func (r Root) ReadLoad() Load {
	stat, _ := r.read("/proc/stat")
	softirqs, _ := r.read("/proc/softirqs")
	interrupts, _ := r.read("/proc/interrupts")
	load := Load{CPUs: parseCPUTimes(stat), Ksoftirqd: r.ksoftirqd(), Interrupts: map[int]map[int]uint64{}}
	devices, _ := r.read("/proc/net/dev")
	load.RxPackets = parseRxPackets(devices)
	load.NetRX = parsePerCPU(softirqs)["NET_RX"]
	for name, counts := range parsePerCPU(interrupts) {
		if number, err := strconv.Atoi(name); err == nil {
			load.Interrupts[number] = counts
		}
	}
	return load
}

// parseCPUTimes parses /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal, then
// guest times, which user and nice include (fs/proc/stat.c).
func parseCPUTimes(text string) map[int]CPUTime {
	all := map[int]CPUTime{}
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		if len(columns) < 9 || !strings.HasPrefix(columns[0], "cpu") {
			continue
		}
		cpu, err := strconv.Atoi(columns[0][len("cpu"):])
		if err != nil {
			continue // the sum
		}
		var t CPUTime
		for i, column := range columns[1:9] {
			n, err := strconv.ParseUint(column, 10, tickBits)
			if err != nil {
				return nil
			}
			spent := time.Duration(n) * tick
			t.Total += spent
			switch i {
			case 6:
				t.Softirq = spent
			case 7:
				t.Steal = spent
			}
		}
		all[cpu] = t
	}
	return all
}

// parseRxPackets parses /proc/net/dev: a name, a colon, the received bytes and the received
// packets (dev_seq_printf_stats in net/core/net-procfs.c). A name contains no colon.
func parseRxPackets(text string) map[string]uint64 {
	all := map[string]uint64{}
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, ":")
		columns := strings.Fields(rest)
		if !ok || len(columns) < 2 {
			continue
		}
		if n, err := strconv.ParseUint(columns[1], 10, 64); err == nil {
			all[event.Text([]byte(strings.TrimSpace(name)))] = n
		}
	}
	return all
}

// parsePerCPU parses a table with a heading of CPU numbers, one row for each name and one
// column for each CPU: /proc/softirqs, /proc/interrupts.
func parsePerCPU(text string) map[string]map[int]uint64 {
	all := map[string]map[int]uint64{}
	var cpus []int
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		if cpus == nil {
			for _, column := range columns {
				cpu, err := strconv.Atoi(strings.TrimPrefix(column, "CPU"))
				if err != nil {
					return nil
				}
				cpus = append(cpus, cpu)
			}
			continue
		}
		if len(columns) < 1+len(cpus) {
			continue // ERR and MIS have one column
		}
		counts := map[int]uint64{}
		for i, cpu := range cpus {
			n, err := strconv.ParseUint(columns[1+i], 10, 64)
			if err != nil {
				return nil
			}
			counts[cpu] = n
		}
		all[strings.TrimSuffix(columns[0], ":")] = counts
	}
	return all
}
