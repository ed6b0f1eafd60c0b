// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
)

// While drops are traced, the stall programs must cost little. They take about 200 ns for each
// run of NET_RX. If a CPU has more than busyRuns per second, which is two percent of its time,
// the programs are detached until all CPUs are below quietRuns. event.StallLoss.Paused is the
// time without them.
const (
	busyRuns  = 100_000
	quietRuns = 50_000
	paceEvery = time.Second // interval of checks during a pause
)

// pace measures how busy CPUs are.
type pace struct {
	looked time.Time // of the last check
	runs   []uint64  // of NET_RX on each CPU
	paused time.Time // start of the pause; zero if the programs are attached
}

// busiest returns the highest number of NET_RX runs per second on any CPU since the last check.
func (p *pace) busiest(now time.Time, runs []uint64) float64 {
	most := 0.0
	elapsed := now.Sub(p.looked).Seconds()
	for i, n := range runs {
		if i < len(p.runs) && n > p.runs[i] && elapsed > 0 {
			most = max(most, float64(n-p.runs[i])/elapsed)
		}
	}
	p.looked, p.runs = now, append(p.runs[:0], runs...)
	return most
}

// keepPace detaches the programs if a CPU is too busy, and attaches them again when it is not.
// When it attaches, it returns the length of the pause.
func (s *stalls) keepPace(now time.Time) (time.Duration, error) {
	if s.pace.paused.IsZero() {
		if s.pace.busiest(now, s.runs()) <= busyRuns {
			return 0, nil
		}
		s.pace = pace{paused: now, looked: now}
		return 0, s.detach()
	}
	if now.Sub(s.pace.looked) < paceEvery {
		return 0, nil
	}
	known := len(s.pace.runs) > 0
	if busiest := s.pace.busiest(now, softirqCounts()); !known || busiest > quietRuns {
		return 0, nil
	}
	length := now.Sub(s.pace.paused)
	s.pace = pace{looked: now}
	return length, errors.Join(s.reset(), s.attach())
}

// pausedFor returns the length of the current pause until now; 0 without a pause.
func (s *stalls) pausedFor(now time.Time) time.Duration {
	if s.pace.paused.IsZero() {
		return 0
	}
	return now.Sub(s.pace.paused)
}

// runs returns how often each CPU ran NET_RX while the programs were attached.
func (s *stalls) runs() []uint64 {
	cpus := s.cpus()
	counts := make([]uint64, len(cpus))
	for i := range cpus {
		for b := range cpus[i].Runs {
			counts[i] += atomic.LoadUint64(&cpus[i].Runs[b])
		}
	}
	return counts
}

// reset clears the programs' state of CPUs and threads, but not their counters.
func (s *stalls) reset() error {
	state := unsafe.Offsetof(bpf.StallCpu{}.Waits)
	for i := range s.cpus() {
		clear(unsafe.Slice((*byte)(unsafe.Pointer(&s.cpus()[i])), state))
	}
	threads := s.collection.Maps["threads"]
	var pids []uint32
	var pid uint32
	var thread bpf.StallThread
	each := threads.Iterate()
	for each.Next(&pid, &thread) {
		pids = append(pids, pid)
	}
	if err := each.Err(); err != nil {
		return fmt.Errorf("list threads: %w", err)
	}
	for _, pid := range pids {
		if err := threads.Delete(pid); err != nil {
			return fmt.Errorf("forget thread %d: %w", pid, err)
		}
	}
	return nil
}

// softirqCounts returns how often each CPU ran NET_RX since boot, from /proc/softirqs; nil if it
// cannot be read.
func softirqCounts() []uint64 {
	text, err := os.ReadFile("/proc/softirqs")
	if err != nil {
		return nil
	}
	return parseSoftirqs(text)
}

func parseSoftirqs(text []byte) []uint64 {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) == 0 || string(fields[0]) != "NET_RX:" {
			continue
		}
		var counts []uint64
		for _, f := range fields[1:] {
			n, err := strconv.ParseUint(string(f), 10, 64)
			if err != nil {
				return nil
			}
			counts = append(counts, n)
		}
		return counts
	}
	return nil
}
