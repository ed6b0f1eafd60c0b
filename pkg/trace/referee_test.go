// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A referee tells waits from events that perf recorded, by rules of its own: a softirq
// waits from its raise, or the end of its last run, to its entry; a thread from its
// wake-up, or from when it was switched from while it could run, to its turn.
type referee struct {
	waits   []refereeWait
	packets []refereePacket // that were seen to come, by when they were handled in a softirq
	turns   []refereeTurn
	moments []moment
	skipped int // lines of other events
	gaps    []refereeGap

	cpus    map[int]*refereeCPU
	threads map[int]*refereeThread
	queued  map[string]time.Duration // packets by the address of their skb
}

// refereeWait is a wait that ended in a turn.
type refereeWait struct {
	thread      int // 0: of NET_RX
	cpu, ranOn  int // where it waited longest, where it had its turn
	from, till  time.Duration
	first       time.Duration // when the first packet came that had waited and was seen to come; 0: none
	again       bool          // a run of NET_RX left it: packets may have waited before
	unknown     bool          // packets were handled that were not seen to come
	work        int           // packets that were handled in the turn
	interrupted []int         // tasks that its events interrupted
	unseen      time.Duration // by which it may have ended before, as its end was not seen
}

func (w *refereeWait) length() time.Duration { return w.till - w.from }

type refereePacket struct {
	cpu           int
	queued, taken time.Duration
	by            int // task that was interrupted
}

// refereeTurn is the time of a task on a CPU, or the most that it can be where a switch was
// not seen.
type refereeTurn struct {
	task, cpu  int
	from, till time.Duration
}

// refereeGap is when a CPU did what perf did not see: a switch at least.
type refereeGap struct {
	cpu        int
	from, till time.Duration
}

type refereeCPU struct {
	raised, entered time.Duration // 0: not
	raisedBy        int
	again           bool          // what is raised was left by a run
	run             *refereeWait  // that NET_RX serves
	task            int           // that runs; -1: not known yet
	taskFrom        time.Duration // since when, or since when at the most
	last            time.Duration // event
}

type refereeThread struct {
	running       bool
	from          time.Duration // waits since; 0: it does not
	cpu           int
	came          time.Duration
	longest       time.Duration
	longestCPU    int
	turn          *refereeWait
	interruptedBy []int
}

// Lines of perf script -F tid,cpu,time,event,trace --ns, and the texts of events.
var (
	eventLine  = regexp.MustCompile(`^ *(-?\d+) \[(\d+)\] +(\d+)\.(\d{9}): +([a-z_]+:[a-z_]+): `)
	switchText = regexp.MustCompile(`^prev_comm=.* prev_pid=(\d+) prev_prio=\S+ prev_state=(\S+) ==> next_comm=(.*) next_pid=(\d+) next_prio=\S+$`)
	wakeText   = regexp.MustCompile(`^comm=(.*) pid=(\d+) prio=\S+ target_cpu=(\d+)`)
	moveText   = regexp.MustCompile(`^comm=.* pid=(\d+) prio=\S+ orig_cpu=(\d+) dest_cpu=(\d+)`)
	skbText    = regexp.MustCompile(`skbaddr=(\S+)`)
	workText   = regexp.MustCompile(` work (\d+) budget `)
)

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // a regular expression found digits
	}
	return n
}

// read judges all events.
func (r *referee) read(text io.Reader) error {
	r.cpus, r.threads, r.queued = map[int]*refereeCPU{}, map[int]*refereeThread{}, map[string]time.Duration{}
	lines := bufio.NewScanner(text)
	for lines.Scan() {
		m := eventLine.FindStringSubmatch(lines.Text())
		if m == nil {
			return fmt.Errorf("not an event: %q", lines.Text())
		}
		at := time.Duration(number(m[3]))*time.Second + time.Duration(number(strings.TrimLeft(m[4], "0")+"0")/10)
		r.runs(at, number(m[1]), number(m[2]))
		if !r.event(at, number(m[1]), number(m[2]), m[5], lines.Text()[len(m[0]):]) {
			r.skipped++
		}
	}
	for cpu, c := range r.cpus { // turns that are not over
		r.turns = append(r.turns, refereeTurn{c.task, cpu, c.taskFrom, c.last})
	}
	for i := range r.waits {
		slices.Sort(r.waits[i].interrupted)
	}
	slices.SortStableFunc(r.waits, func(a, b refereeWait) int { return int(a.till - b.till) })
	return lines.Err()
}

func (r *referee) cpu(n int) *refereeCPU {
	if r.cpus[n] == nil {
		r.cpus[n] = &refereeCPU{task: -1}
	}
	return r.cpus[n]
}

// runs notes which task an event interrupted. Some machines show perf no event of a process
// that they protect, nor a switch from it: the task after it then has had its turn since the
// event before, and the one before it until now.
func (r *referee) runs(at time.Duration, task, cpu int) {
	c := r.cpu(cpu)
	switch {
	case task < 0: // it has exited
	case c.task < 0:
		c.task, c.taskFrom = task, at
	case c.task != task:
		r.turns = append(r.turns, refereeTurn{c.task, cpu, c.taskFrom, at})
		r.begins(at, cpu, c.task, task, at-c.last)
		c.task, c.taskFrom = task, c.last
		r.gaps = append(r.gaps, refereeGap{cpu, c.last, at})
	}
	c.last = at
}

// begins has a thread that waited have its turn, after another task.
func (r *referee) begins(at time.Duration, cpu, prev, task int, unseen time.Duration) {
	t := r.threads[task]
	if t == nil {
		return
	}
	if t.from != 0 {
		t.leave(at)
		t.turn = &refereeWait{
			thread: task, cpu: t.longestCPU, ranOn: cpu, from: t.from, till: at, unseen: unseen,
			interrupted: append(t.interruptedBy, prev),
		}
	}
	t.from, t.running = 0, true
}

func (r *referee) event(at time.Duration, task, cpu int, name, text string) bool {
	c := r.cpu(cpu)
	switch name {
	case "irq:softirq_raise":
		r.moments = append(r.moments, moment{cpu, at, momentRaise})
		if c.raised == 0 {
			c.raised, c.raisedBy, c.again = at, task, false
		}
	case "irq:softirq_entry":
		r.moments = append(r.moments, moment{cpu, at, momentEntry})
		c.entered, c.run = at, nil
		if c.raised != 0 {
			c.run = &refereeWait{cpu: cpu, ranOn: cpu, from: c.raised, till: at, again: c.again, interrupted: []int{c.raisedBy, task}}
		}
		c.raised = 0
	case "irq:softirq_exit":
		r.moments = append(r.moments, moment{cpu, at, momentExit})
		if c.run != nil {
			r.waits = append(r.waits, *c.run)
		}
		c.entered, c.run = 0, nil
		if c.raised != 0 {
			c.raised, c.raisedBy, c.again = at, task, true
		}
	case "net:netif_rx":
		r.moments = append(r.moments, moment{cpu, at, momentQueued})
		r.queued[skbText.FindStringSubmatch(text)[1]] = at
	case "net:netif_receive_skb":
		r.moments = append(r.moments, moment{cpu, at, momentHandled})
		skb := skbText.FindStringSubmatch(text)[1]
		if queued, ok := r.queued[skb]; ok && c.entered != 0 {
			r.packets = append(r.packets, refereePacket{cpu, queued, at, task})
			if w := c.run; w != nil && queued < w.till && (w.first == 0 || queued < w.first) {
				w.first = queued
			}
		} else if c.run != nil {
			c.run.unknown = true
		}
		delete(r.queued, skb)
	case "napi:napi_poll":
		work := number(workText.FindStringSubmatch(text)[1])
		if t := r.threads[task]; c.entered == 0 && t != nil && t.turn != nil {
			t.turn.work += work
		} else if c.run != nil {
			c.run.work += work
		}
	case "sched:sched_wakeup":
		r.moments = append(r.moments, moment{cpu, at, momentWake})
		m := wakeText.FindStringSubmatch(text)
		if !strings.HasPrefix(m[1], "napi/") {
			return true
		}
		t := r.thread(number(m[2]))
		if !t.running {
			t.wait(at, number(m[3]), task)
		}
	case "sched:sched_migrate_task":
		r.moments = append(r.moments, moment{cpu, at, momentMove})
		m := moveText.FindStringSubmatch(text)
		if t := r.threads[number(m[1])]; t != nil && t.from != 0 {
			t.leave(at)
			t.cpu, t.came = number(m[3]), at
		}
	case "sched:sched_switch":
		r.moments = append(r.moments, moment{cpu, at, momentSwitch})
		m := switchText.FindStringSubmatch(text)
		r.switched(at, cpu, number(m[1]), m[2], m[3], number(m[4]))
	default:
		return false
	}
	return true
}

func (r *referee) thread(task int) *refereeThread {
	if r.threads[task] == nil {
		r.threads[task] = &refereeThread{}
	}
	return r.threads[task]
}

func (t *refereeThread) wait(at time.Duration, cpu, by int) {
	*t = refereeThread{from: at, came: at, cpu: cpu, interruptedBy: []int{by}}
}

// leave ends the wait on one CPU.
func (t *refereeThread) leave(at time.Duration) {
	if d := at - t.came; d > t.longest {
		t.longest, t.longestCPU = d, t.cpu
	}
}

func (r *referee) switched(at time.Duration, cpu, prev int, state, nextComm string, next int) {
	r.runs(at, prev, cpu) // of a task that has exited the event alone has no number
	c := r.cpu(cpu)
	r.turns = append(r.turns, refereeTurn{prev, cpu, c.taskFrom, at})
	c.task, c.taskFrom = next, at
	if t := r.threads[prev]; t != nil && prev != 0 {
		if t.turn != nil {
			r.waits = append(r.waits, *t.turn)
		}
		t.turn, t.running = nil, false
		if strings.HasPrefix(state, "R") {
			t.wait(at, cpu, prev)
		}
	}
	if !strings.HasPrefix(nextComm, "napi/") {
		return
	}
	r.thread(next)
	r.begins(at, cpu, prev, next, 0)
}

// between returns a referee that knows what ended after one time and began before another.
func (r *referee) between(from, till time.Duration) *referee {
	some := &referee{cpus: r.cpus}
	for _, w := range r.waits {
		if w.till >= from && w.from <= till {
			some.waits = append(some.waits, w)
		}
	}
	for _, p := range r.packets {
		if p.taken >= from && p.queued <= till {
			some.packets = append(some.packets, p)
		}
	}
	for _, turn := range r.turns {
		if turn.till >= from && turn.from <= till {
			some.turns = append(some.turns, turn)
		}
	}
	for _, gap := range r.gaps {
		if gap.till >= from && gap.from <= till {
			some.gaps = append(some.gaps, gap)
		}
	}
	return some
}

// ran returns for how long a task was on a CPU between two times.
func (r *referee) ran(task, cpu int, from, till time.Duration) (d time.Duration) {
	for _, turn := range r.turns {
		if turn.task == task && turn.cpu == cpu {
			d += max(0, min(till, turn.till)-max(from, turn.from))
		}
	}
	return d
}

func TestReferee(t *testing.T) {
	const text = `
   10 [000]     1.000000000: irq:softirq_raise: vec=3 [action=NET_RX]
   11 [000]     1.001000000: net:netif_rx: dev=lab-rx skbaddr=0xff01 len=40
   11 [000]     1.002000000: irq:softirq_entry: vec=3 [action=NET_RX]
   11 [000]     1.002100000: net:netif_receive_skb: dev=lab-rx skbaddr=0xff01 len=40
   11 [000]     1.002150000: irq:softirq_raise: vec=3 [action=NET_RX]
   11 [000]     1.002200000: napi:napi_poll: napi poll on napi struct 0xff for device (no_device) work 3 budget 64
   11 [000]     1.002300000: irq:softirq_exit: vec=3 [action=NET_RX]
   11 [000]     1.002400000: irq:softirq_entry: vec=3 [action=NET_RX]
   11 [000]     1.002450000: net:netif_receive_skb: dev=eth0 skbaddr=0xff02 len=40
   11 [000]     1.002500000: irq:softirq_exit: vec=3 [action=NET_RX]
   12 [001]     2.000000000: sched:sched_wakeup: comm=napi/lab rx-9 pid=55 prio=120 target_cpu=000
   12 [001]     2.007000000: sched:sched_migrate_task: comm=napi/lab rx-9 pid=55 prio=120 orig_cpu=0 dest_cpu=1
   12 [001]     2.008000000: sched:sched_switch: prev_comm=a b prev_pid=12 prev_prio=120 prev_state=S ==> next_comm=napi/lab rx-9 next_pid=55 next_prio=120
   55 [001]     2.008100000: sched:sched_wakeup: comm=napi/lab rx-9 pid=55 prio=120 target_cpu=001
   55 [001]     2.008200000: sched:sched_switch: prev_comm=napi/lab rx-9 prev_pid=55 prev_prio=120 prev_state=R+ ==> next_comm=c next_pid=13 next_prio=120
   13 [001]     2.010000000: sched:sched_switch: prev_comm=c prev_pid=13 prev_prio=120 prev_state=R ==> next_comm=napi/lab rx-9 next_pid=55 next_prio=120
   55 [001]     2.010100000: sched:sched_switch: prev_comm=napi/lab rx-9 prev_pid=55 prev_prio=120 prev_state=I ==> next_comm=c next_pid=13 next_prio=120
`
	at := func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
	var r referee
	if err := r.read(strings.NewReader(text[1:])); err != nil {
		t.Fatal(err)
	}
	want := []refereeWait{
		{from: at(1000000), till: at(1002000), first: at(1001000), work: 3, interrupted: []int{10, 11}},
		{from: at(1002300), till: at(1002400), again: true, unknown: true, interrupted: []int{11, 11}},
		{thread: 55, cpu: 0, ranOn: 1, from: at(2000000), till: at(2008000), interrupted: []int{12, 12}},
		{thread: 55, cpu: 1, ranOn: 1, from: at(2008200), till: at(2010000), interrupted: []int{13, 55}},
	}
	if diff := cmp.Diff(want, r.waits, cmp.AllowUnexported(refereeWait{})); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
	if want := []refereePacket{{0, at(1001000), at(1002100), 11}}; !slices.Equal(r.packets, want) {
		t.Errorf("packets %+v, want %+v", r.packets, want)
	}
	if got := r.ran(13, 1, at(2009000), at(3000000)); got != time.Millisecond {
		t.Errorf("task 13 ran for %v", got)
	}
}

// TestRefereeUnseen has a switch missing: from a task that perf may not see.
func TestRefereeUnseen(t *testing.T) {
	const text = `
   10 [001]     1.000000000: sched:sched_switch: prev_comm=a prev_pid=10 prev_prio=120 prev_state=R ==> next_comm=hidden next_pid=70 next_prio=120
   11 [001]     1.002000000: irq:softirq_raise: vec=3 [action=NET_RX]
   -1 [001]     1.009000000: sched:sched_switch: prev_comm=b prev_pid=11 prev_prio=120 prev_state=X ==> next_comm=c next_pid=12 next_prio=120
   12 [001]     1.010000000: irq:softirq_entry: vec=3 [action=NET_RX]
   12 [001]     1.010500000: irq:softirq_exit: vec=3 [action=NET_RX]
`
	at := func(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
	var r referee
	if err := r.read(strings.NewReader(text[1:])); err != nil {
		t.Fatal(err)
	}
	want := []refereeTurn{
		{10, 1, at(1000000), at(1000000)},
		{70, 1, at(1000000), at(1002000)},
		{11, 1, at(1000000), at(1009000)},
		{12, 1, at(1009000), at(1010500)},
	}
	if !slices.Equal(r.turns, want) {
		t.Errorf("turns %+v, want %+v", r.turns, want)
	}
	if want := []refereeGap{{1, at(1000000), at(1002000)}}; !slices.Equal(r.gaps, want) {
		t.Errorf("gaps %+v, want %+v", r.gaps, want)
	}
}
