// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// near is how far apart the two may be about the same.
const near = time.Millisecond

// perf records events of the scheduler, of NET_RX and of packets.
type perf struct {
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr bytes.Buffer
	file   string
}

// startPerf returns once it records. It has tracefs in a mount namespace of its own.
func startPerf(t *testing.T) *perf {
	t.Helper()
	p := &perf{file: filepath.Join(t.TempDir(), "perf.data")}
	const events = "irq:softirq_raise,irq:softirq_entry,irq:softirq_exit"
	const others = "napi:napi_poll,net:netif_rx,net:netif_receive_skb,sched:sched_wakeup,sched:sched_migrate_task,sched:sched_switch"
	p.cmd = lab.WithTracefs("perf", "record", "-q", "-a", "-B", "-N", "-k", "CLOCK_MONOTONIC", "-m", "16M", "-o", p.file,
		"-e", events, "--filter", "vec==3", "-e", others, "--", "sh", "-c", "echo ready; read line; true")
	p.cmd.Stderr = &p.stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin = stdin
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ready [6]byte
	if _, err := io.ReadFull(stdout, ready[:]); err != nil {
		t.Fatalf("perf does not record: %v: %s", errors.Join(err, p.cmd.Wait()), p.stderr.String())
	}
	return p
}

// stop returns what a referee makes of the events.
func (p *perf) stop(t *testing.T) *referee {
	t.Helper()
	if err := errors.Join(p.stdin.Close(), p.cmd.Wait()); err != nil {
		t.Fatalf("perf record: %v: %s", err, p.stderr.String())
	}
	script := lab.WithTracefs("perf", "script", "--ns", "-F", "tid,cpu,time,event,trace", "-i", p.file)
	var complaints bytes.Buffer
	script.Stderr = &complaints
	text, err := script.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := script.Start(); err != nil {
		t.Fatal(err)
	}
	r := &referee{}
	if err := r.read(text); err != nil {
		t.Fatal(errors.Join(err, script.Process.Kill(), script.Wait()))
	}
	if err := script.Wait(); err != nil {
		t.Fatalf("perf script: %v: %s", err, complaints.String())
	}
	if strings.Contains(complaints.String()+p.stderr.String(), " lost ") {
		t.Fatalf("perf lost events: %s", complaints.String()+p.stderr.String())
	}
	if r.skipped > 0 {
		t.Errorf("%d events were not asked for", r.skipped)
	}
	return r
}

// scene is what both watch.
type scene struct {
	name  string
	class inject.Class
	waits int // at least, of the threshold and more
	run   func(*testing.T, *inject.Bench)
}

func (s scene) String() string { return s.name }

// holds injects some times.
func holds(times int, d func(int) time.Duration) func(*testing.T, *inject.Bench) {
	return func(t *testing.T, bench *inject.Bench) {
		for i := range times {
			if _, err := bench.Inject(d(i)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// ofLength is from 4 to 26 ms.
func ofLength(i int) time.Duration { return time.Duration(4+7*i%23) * time.Millisecond }

// moves has the thread wait on one CPU and moves it to the other during the wait.
func moves(times int) func(*testing.T, *inject.Bench) {
	return func(t *testing.T, bench *inject.Bench) {
		for i := range times {
			if err := bench.Pin(1); err != nil {
				t.Fatal(err)
			}
			held := make(chan error, 1)
			go func() {
				_, err := bench.Inject(2*ofLength(i) + 10*time.Millisecond)
				held <- err
			}()
			time.Sleep(ofLength(i) + 5*time.Millisecond)
			err := bench.Pin(0)
			if err := errors.Join(err, <-held); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// unbound lets the scheduler choose the thread's CPU.
func unbound(times int) func(*testing.T, *inject.Bench) {
	return func(t *testing.T, bench *inject.Bench) {
		if err := bench.Pin(0, 1); err != nil {
			t.Fatal(err)
		}
		holds(times, ofLength)(t, bench)
	}
}

// TestAgainstReferee compares every wait that is told with what perf saw, on a machine
// that does nothing else and on one that keeps each CPU busy.
func TestAgainstReferee(t *testing.T) {
	labtest.NeedRoot(t)
	scenes := []scene{
		{"softirq", inject.BHOff, 30, holds(46, ofLength)},
		{"bound thread", inject.RTStarve, 30, holds(46, ofLength)},
		{"thread that is moved", inject.RTStarve, 20, moves(30)},
		{"unbound thread", inject.RTStarve, 0, unbound(40)},
		{"slow packets", inject.NETRXSlow, 0, holds(20, ofLength)},
		{"many packets", inject.NETRXBudget, 0, holds(10, func(i int) time.Duration { return 3 * ofLength(i) })},
	}
	waits, compared := 0, 0
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprintf("busy %t", busy), func(t *testing.T) {
			left := scenes
			for attempt := 0; len(left) > 0; attempt++ {
				if attempt == 4 {
					t.Fatalf("too little was watched, or happened, of %v", left)
				}
				all := compareScenes(t, left, busy)
				left = nil
				for _, c := range all {
					if c.spoiled {
						left = append(left, c.scene)
						continue
					}
					waits += c.waits
					compared++
				}
			}
		})
	}
	if waits < 200 && compared == 2*len(scenes) {
		t.Errorf("%d waits were compared", waits)
	}
	t.Logf("%d waits were compared", waits)
}

// keepBusy has a process count on each CPU.
func keepBusy(t *testing.T) {
	for _, cpu := range []string{"0", "1"} {
		cmd := exec.Command("taskset", "-c", cpu, "sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	}
}

// comparison is what came of a scene.
type comparison struct {
	scene
	waits   int
	spoiled bool // too little was watched, or happened
}

// compareScenes runs scenes while perf and a witness watch, and compares each that ran.
func compareScenes(t *testing.T, scenes []scene, busy bool) (all []comparison) {
	p := startPerf(t)
	saw := newWitness(t)
	matches := make([]match, len(scenes))
	for i := range scenes {
		t.Run(scenes[i].name, func(t *testing.T) {
			if busy {
				keepBusy(t)
			}
			matches[i] = scenes[i].watch(t)
		})
	}
	r, moments := p.stop(t), saw.moments(t)
	missed := unwatched(r.moments, moments)
	for i, m := range matches {
		if m.till == 0 {
			continue // it was skipped, or has failed
		}
		t.Run(scenes[i].name+", compared", func(t *testing.T) {
			m.t, m.referee = t, r.between(m.from-near, m.till+near)
			for _, u := range missed {
				if u.at >= m.from-near && u.at <= m.till+near {
					m.unwatched = append(m.unwatched, u)
				}
			}
			c := comparison{scene: scenes[i]}
			c.waits, c.spoiled = m.compare(scenes[i].waits)
			all = append(all, c)
		})
	}
	t.Logf("programs did not run at %d of %d moments, perf did not see %d switches", len(missed), len(r.moments), len(r.gaps))
	return all
}

// watch runs a scene and returns the stalls that were reported.
func (s *scene) watch(t *testing.T) (m match) {
	bench, err := inject.Open(s.class)
	labtest.Need(t, err)
	defer func() {
		if err := bench.Close(); err != nil {
			t.Error(err)
		}
	}()
	source, err := OpenStalls(StallConfig{}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	told := make(chan []*stall.Stall, 1)
	go func() { told <- stallsOf(t, source) }()
	time.Sleep(50 * time.Millisecond)
	from := clockNow()
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond)
	s.run(t, bench)
	time.Sleep(20 * time.Millisecond)
	if _, err := bench.Stop(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(150 * time.Millisecond) // waits that are in progress are reported
	till := clockNow()
	if err := source.Stop(); err != nil {
		t.Fatal(err)
	}
	return match{start: source.Meta().StartMono, from: from, till: till, stalls: <-told}
}

// match is the reported stalls and the referee's waits of the same time.
type match struct {
	t          *testing.T
	referee    *referee
	start      time.Duration // of the source's clock
	from, till time.Duration // both watched
	stalls     []*stall.Stall
	unwatched  []moment
	excused    int
	blind      bool // most of the packets were late while programs did not run
}

// isUnwatched reports whether programs were kept from running when a packet was queued or
// handled, or for another event of its CPU meanwhile: one that is not run at a raise takes
// what is queued for handled.
func (m *match) isUnwatched(p *refereePacket) bool {
	const around = 200 * time.Microsecond
	near := func(u moment, at time.Duration) bool { return (u.at - at).Abs() <= around }
	return slices.ContainsFunc(m.unwatched, func(u moment) bool {
		return near(u, p.queued) || near(u, p.taken) ||
			!u.isPacket() && u.cpu == p.cpu && u.at >= p.queued && u.at <= p.taken
	})
}

// hasGap reports whether perf did not see all that a CPU did between two times.
func (m *match) hasGap(cpu int, from, till time.Duration) bool {
	return slices.ContainsFunc(m.referee.gaps, func(g refereeGap) bool { return g.cpu == cpu && g.till > from && g.from < till })
}

// differ fails the test, unless programs were kept from running, or perf from seeing.
func (m *match) differ(from, till time.Duration, format string, args ...any) {
	m.t.Helper()
	isExcused := slices.ContainsFunc(m.unwatched, func(u moment) bool { return u.at > from-near && u.at < till+near }) ||
		slices.ContainsFunc(m.referee.gaps, func(g refereeGap) bool { return g.till > from-near && g.from < till+near })
	if isExcused {
		m.excused++
		m.t.Logf("perf did not see everything at that time: "+format, args...)
		return
	}
	m.t.Errorf(format, args...)
}

// compare compares all, and returns how many waits there were. A scene is spoiled that had
// fewer than asked for, or where more than one difference in ten waits had to be excused, or
// more packets than were compared.
func (m *match) compare(least int) (n int, spoiled bool) {
	m.t.Helper()
	n = m.waits()
	m.invented()
	m.blame()
	m.packets()
	m.t.Logf("%d of %d waits compared, %d differences excused as not all was watched", n, least, m.excused)
	return n, n < least || m.blind || 10*m.excused > max(n, 10)
}

// isWait reports whether a stall is a wait of the referee's: of the same thread or of NET_RX
// on the same CPU, over at the same time.
func (m *match) isWait(s *stall.Stall, w *refereeWait) bool {
	if (s.Waiter == event.WaiterThread) != (w.thread != 0) || s.Waiter == event.WaiterPackets {
		return false
	}
	ranOn := s.CPU
	if s.Moved {
		ranOn = s.RanOn
	}
	late := w.till - (s.End + m.start)
	return int(s.Thread.PID) == w.thread && s.CPU == w.cpu && ranOn == w.ranOn && late >= -near && late <= near+w.unseen
}

// begin is when a wait began: packets that were seen to come know best, but for what a run
// has left, and where others were not.
func (w *refereeWait) begin() time.Duration {
	if w.first != 0 && !w.again && !w.unknown {
		return w.first
	}
	return w.from
}

// begins reports whether a stall begins with a wait, or with what kept that from beginning.
// Where a run left packets, or some were not seen to come, it may begin with the first that was.
func (m *match) begins(s *stall.Stall, w *refereeWait) bool {
	at, first := s.Start+m.start, w.begin()
	if w.first != 0 {
		first = min(first, w.first)
	}
	return at >= first-near-kept(s) && at <= w.begin()+near
}

// kept is how much of a stall was before anybody was woken: interrupts off, or no CPU.
func kept(s *stall.Stall) (d time.Duration) {
	for i := range s.Parts {
		if k := s.Parts[i].Kind; k == stall.PartIRQsOff || k == stall.PartStolen || k == stall.PartHardirq {
			d += s.Parts[i].Duration
		}
	}
	return d
}

// waits looks for every wait of the referee's in the stalls.
func (m *match) waits() (compared int) {
	for i := range m.referee.waits {
		w := &m.referee.waits[i]
		length := w.till - w.begin()
		if length < DefaultThreshold+near || w.work == 0 || w.begin() < m.from || w.till > m.till-100*time.Millisecond {
			continue
		}
		compared++
		found := slices.ContainsFunc(m.stalls, func(s *stall.Stall) bool {
			return m.isWait(s, w) && m.begins(s, w)
		})
		if found {
			continue
		}
		m.differ(w.begin(), w.till, "no stall for %v of thread %d on CPU %d, ran on %d, %v to %v, first packet %v, left by a run %t, %d packets, interrupting %v%s", length, w.thread, w.cpu, w.ranOn,
			w.begin()-m.start, w.till-m.start, w.first-m.start, w.again, w.work, w.interrupted, m.around(w))
	}
	return compared
}

// around lists the stalls that overlap a wait.
func (m *match) around(w *refereeWait) (text string) {
	for _, s := range m.stalls {
		if s.End+m.start > w.begin() && s.Start+m.start < w.till {
			text += fmt.Sprintf("\n  %v to %v, waiter %v: %s", s.Start, s.End, s.Waiter, s.Sentence())
		}
	}
	return text
}

// invented looks for every stall among the referee's waits.
func (m *match) invented() {
	for _, s := range m.stalls {
		if s.Waiter == event.WaiterPackets {
			continue
		}
		found := slices.ContainsFunc(m.referee.waits, func(w refereeWait) bool {
			return m.isWait(s, &w) && m.begins(s, &w)
		})
		if !found {
			text := ""
			for _, w := range m.referee.waits {
				if w.ranOn == s.CPU || w.cpu == s.CPU {
					if w.till > s.Start+m.start && w.begin() < s.End+m.start && w.length() > near {
						text += fmt.Sprintf("\n  %v to %v: thread %d on CPU %d, ran on %d", w.begin()-m.start, w.till-m.start, w.thread, w.cpu, w.ranOn)
					}
				}
			}
			m.differ(s.Start+m.start, s.End+m.start, "invented, %v to %v: %s%s", s.Start, s.End, s.Sentence(), text)
		}
	}
}

// blame checks that tasks ran that are said to have, for as long.
func (m *match) blame() {
	for _, s := range m.stalls {
		cpus := []int{s.CPU}
		if s.Waiter == event.WaiterThread { // which may have waited on any
			cpus = []int{0, 1}
		}
		ran := func(task uint32) (d time.Duration) {
			for _, cpu := range cpus {
				d += m.referee.ran(int(task), cpu, s.Start+m.start-near, s.End+m.start+near)
			}
			return d
		}
		if c := s.Culprit; c != nil && c.TID != 0 && ran(c.TID) == 0 {
			m.differ(s.Start+m.start, s.End+m.start, "%s (%d) did not run, %v to %v: %s", c.Comm, c.TID, s.Start+m.start, s.End+m.start, s.Sentence())
		}
		if c := s.Culprit; c != nil && c.TID != 0 && c.TID == s.Thread.PID {
			m.t.Errorf("waited for itself: %s", s.Sentence())
		}
		for i := range s.Parts {
			if p := &s.Parts[i]; p.Kind == stall.PartTask && s.EdgesLost == 0 && p.Duration > ran(p.Task.PID)+near {
				m.differ(s.Start+m.start, s.End+m.start, "%s (%d) ran for %v, reported as %v: %s", p.Task.Comm, p.Task.PID, ran(p.Task.PID), p.Duration, s.Sentence())
			}
		}
	}
}

// packets compares how many packets were late, and the longest wait, on each CPU. What is
// within a tenth of a millisecond of the threshold may be either.
func (m *match) packets() {
	const either = 100 * time.Microsecond
	for cpu := range m.referee.cpus {
		var least, most, told, unseen, excused uint64
		var longest, toldLongest, toldFrom time.Duration
		for _, p := range m.referee.packets {
			d := p.taken - p.queued
			if p.cpu != cpu || p.queued < m.from || p.taken > m.till {
				continue
			}
			if d >= DefaultThreshold+either && m.isUnwatched(&p) {
				most++
				excused++
				continue
			}
			longest = max(longest, d)
			if d >= DefaultThreshold-either {
				most++
			}
			if d >= DefaultThreshold+either {
				least++
			}
		}
		for _, s := range m.stalls {
			if s.CPU != cpu || s.Waiter == event.WaiterThread || s.Start+m.start < m.from {
				continue
			}
			if d := s.Duration(); d > toldLongest {
				toldLongest, toldFrom = d, s.Start+m.start
			}
			late := s.LateCount
			for i := range s.Late {
				if _, exact := s.Delay(&s.Late[i]); !exact {
					late--
				}
			}
			if m.hasGap(cpu, s.Start+m.start-near, max(s.End, s.Drained)+m.start+near) {
				unseen += late
			} else {
				told += late
			}
		}
		m.blind = m.blind || excused > least
		if told+unseen < least-least/100 || told > most { // where thousands wait, some stamps are overwritten
			m.t.Errorf("CPU %d: %d packets were late, %d are reported, %d more while perf did not see all", cpu, least, told, unseen)
		}
		if longest >= DefaultThreshold+near && (longest-toldLongest).Abs() > near && excused == 0 {
			m.differ(toldFrom, toldFrom+toldLongest, "CPU %d: the longest wait was %v, reported as %v", cpu, longest, toldLongest)
		}
		m.t.Logf("CPU %d: %d packets late and %d while BPF programs did not run, reported %d and %d while perf did not see all; longest %v, reported %v",
			cpu, least, excused, told, unseen, longest, toldLongest)
	}
}

// clockNow is CLOCK_MONOTONIC.
func clockNow() time.Duration { return clock(unix.CLOCK_MONOTONIC) }
