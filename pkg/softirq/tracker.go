// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// DefaultThreshold is the shortest wait that is a stall unless told otherwise.
const DefaultThreshold = 5 * time.Millisecond

// Config says what a Tracker looks for.
type Config struct {
	Threshold time.Duration // shortest wait that is a stall; 0: DefaultThreshold
	Recorded  time.Duration // threshold of the recorder, on which its sampler depends; 0: DefaultThreshold
	Arch      string        // of the recorded kernel, as GOARCH, for names of system calls
	// Hint returns what else is known of a stall, such as what a file says that its
	// HintTopic points to, or nothing. Nil is allowed.
	Hint func(*stall.Stall) string
}

// ConfigOf looks for the stalls that the recorder of events looked for.
func ConfigOf(meta *event.Meta) Config {
	return Config{Threshold: meta.StallThreshold, Recorded: meta.StallThreshold, Arch: meta.Arch}
}

// Tracker makes stalls of events. It is not safe for concurrent use.
type Tracker struct {
	config   Config
	syscalls kernel.Syscalls
	cpus     map[int]*cpu
	moved    []moved
	stats    Stats
}

// Stats counts the windows a Tracker has judged, and what it could not use.
// Windows is the sum of Stalls, Moved and the five kinds of dismissed windows.
type Stats struct {
	Windows uint64 // judged
	Stalls  uint64 // returned
	Moved   uint64 // kept as part of a later window: the thread moved to another CPU

	// Dismissed windows:
	Invalid uint64 // contradicts itself, or its CPU number is impossible
	Empty   uint64 // nothing waited
	Stale   uint64 // the raise was no longer pending
	Short   uint64 // packets waited for less than the threshold
	Twice   uint64 // the previous stall covers it

	Orphans uint64 // samples and packets whose window never came
	Left    uint64 // samples and packets above the limits of a window
}

// cpu is what is kept of a CPU between windows.
type cpu struct {
	groups    []*group // of windows that are not complete, the oldest first
	alive     time.Duration
	last      *reported
	idleExits idleExitHistory
}

// reported is what is remembered of the last stall.
type reported struct {
	start, end  time.Duration
	waiter      event.Waiter
	isKsoftirqd bool
}

// New returns a Tracker that has seen nothing.
func New(config Config) *Tracker {
	if config.Threshold <= 0 {
		config.Threshold = DefaultThreshold
	}
	if config.Recorded <= 0 {
		config.Recorded = DefaultThreshold
	}
	return &Tracker{config: config, syscalls: kernel.SyscallsOf(config.Arch), cpus: map[int]*cpu{}}
}

// Add takes the next event, of which it keeps no part that belongs to the Source
// except frames and stacks. It returns a Stall if the event completes one, else nil.
func (t *Tracker) Add(e event.Event) *stall.Stall {
	switch e := e.(type) {
	case *event.CPUSample:
		if g := t.group(e.CPU, e.Window); g != nil && sane(e.Time, e.Late) {
			g.addSample(e)
		} else {
			t.stats.Orphans++
		}
	case *event.LatePacket:
		if g := t.group(e.CPU, e.Window); g != nil && sane(e.Time, e.Queued) {
			g.addPacket(e)
		} else {
			t.stats.Orphans++
		}
	case *event.Window:
		return t.window(e)
	}
	return nil
}

// Stats returns the counts so far.
func (t *Tracker) Stats() Stats { return t.stats }

// window takes a complete window.
func (t *Tracker) window(w *event.Window) *stall.Stall {
	t.stats.Windows++
	c := t.cpu(w.CPU)
	if c == nil {
		t.stats.Invalid++
		return nil
	}
	g := c.take(w)
	t.stats.Left += uint64(g.samplesLeft) + g.packetsLeft
	if w.Moved {
		t.stats.Moved++
		t.keepMoved(w, g)
		return nil
	}
	if w.Woken != 0 && w.Raised > w.Woken {
		w, g = join(t.takeMoved(w), w, g)
	}
	e := newEvidence(w, g, c.alive, t.config)
	if e == nil {
		t.stats.Invalid++
		return nil
	}
	waited, why := e.findStart(e.timeline(), t.config.Threshold)
	c.alive = max(c.alive, e.drained(waited.end))
	if why == "" {
		var isNew bool
		if waited, isNew = c.clipToPrevious(e, waited, t.config.Threshold); !isNew {
			why = dismissTwice
		}
	}
	if why != "" {
		t.dismiss(why)
		return nil
	}
	s := t.judge(e, waited, c)
	c.last = &reported{s.Start, s.End, s.Waiter, kernel.IsKsoftirqd(s.Thread.Comm, true)}
	t.stats.Stalls++
	return s
}

func (t *Tracker) dismiss(why dismissal) {
	switch why {
	case dismissEmpty:
		t.stats.Empty++
	case dismissStale:
		t.stats.Stale++
	case dismissShort:
		t.stats.Short++
	case dismissTwice:
		t.stats.Twice++
	}
}
