// SPDX-License-Identifier: Apache-2.0

package host

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Load is what the CPUs have done since boot. Two of them tell what they did in between.
type Load struct {
	CPUs       map[int]CPUTime
	NetRX      map[int]uint64 // NET_RX softirqs by CPU
	Interrupts map[int]map[int]uint64
	Ksoftirqd  map[int]Thread
}

// CPUTime is where a CPU's time went, in steps of 10 ms.
type CPUTime struct {
	Total   time.Duration
	Softirq time.Duration // with that of ksoftirqd (kernel/sched/cputime.c)
	Steal   time.Duration // the hypervisor ran something else
}

// Thread is a thread of the kernel.
type Thread struct {
	PID  int
	Time time.Duration // on its CPU
}

// tick is the unit of times under /proc: USER_HZ is 100 on each architecture Go knows.
const tick = 10 * time.Millisecond

// ReadLoad reads everything once, and leaves out what it cannot read.
func (f Files) ReadLoad() Load {
	stat, _ := f.read("/proc/stat")
	softirqs, _ := f.read("/proc/softirqs")
	interrupts, _ := f.read("/proc/interrupts")
	load := Load{CPUs: parseCPUTimes(stat), Ksoftirqd: f.ksoftirqd(), Interrupts: map[int]map[int]uint64{}}
	load.NetRX = parsePerCPU(softirqs)["NET_RX"]
	for name, counts := range parsePerCPU(interrupts) {
		if number, err := strconv.Atoi(name); err == nil {
			load.Interrupts[number] = counts
		}
	}
	return load
}

// parseCPUTimes reads /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal,
// then guest times, which are in user and nice already (fs/proc/stat.c).
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
			n, err := strconv.ParseUint(column, 10, 48)
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

// parsePerCPU reads a table with a column for each CPU, its number in the first line,
// and a row for each name: /proc/softirqs, /proc/interrupts.
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
			continue // ERR and MIS are of no CPU
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

// ksoftirqd finds the threads that softirqs are left to when a CPU has too many.
func (f Files) ksoftirqd() map[int]Thread {
	threads := map[int]Thread{}
	entries, _ := fs.ReadDir(f.Root, "proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		text, _ := f.read("/proc/" + entry.Name() + "/stat")
		if cpu, spent, ok := parseKsoftirqd(text); ok {
			threads[cpu] = Thread{PID: pid, Time: spent}
		}
	}
	return threads
}

// parseKsoftirqd reads /proc/PID/stat if it is that of ksoftirqd: utime and stime are
// fields 14 and 15. Only children of kthreadd count, as any process may take the name.
func parseKsoftirqd(text string) (cpu int, spent time.Duration, ok bool) {
	_, rest, ok := strings.Cut(text, " (ksoftirqd/")
	if !ok {
		return 0, 0, false
	}
	number, rest, _ := strings.Cut(rest, ") ")
	cpu, err := strconv.Atoi(number)
	columns := strings.Fields(rest) // from field 3
	if err != nil || cpu < 0 || len(columns) < 13 || columns[1] != "2" {
		return 0, 0, false
	}
	user, err1 := strconv.ParseUint(columns[11], 10, 48)
	system, err2 := strconv.ParseUint(columns[12], 10, 48)
	if err1 != nil || err2 != nil {
		return 0, 0, false
	}
	return cpu, time.Duration(user+system) * tick, true
}
