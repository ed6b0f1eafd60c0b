// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// DefaultThreshold is the shortest wait that is a stall by default.
const DefaultThreshold = 5 * time.Millisecond

// Config configures a Tracker.
type Config struct {
	Threshold time.Duration // shortest wait that is a stall; 0: DefaultThreshold
	Recorded  time.Duration // threshold of the recorder, which sets its SamplerDelay; 0: DefaultThreshold
	Arch      string        // GOARCH of the recorded kernel, for names of system calls
	// Hint returns more about a stall, such as the value that its HintTopic points to, or
	// an empty string. It may be nil.
	Hint func(*stall.Stall) string
}

// ConfigOf returns the configuration that finds what the recorder watched for.
func ConfigOf(meta *event.Meta) Config {
	return Config{Threshold: meta.StallThreshold, Recorded: meta.StallThreshold, Arch: meta.Arch}
}

// Tracker finds stalls among events. It is not safe for concurrent use.
type Tracker struct {
	config   Config
	syscalls kernel.Syscalls
	cpus     map[int]*cpu
	moved    []moved
	stats    Stats
}

// Stats counts the windows that a Tracker judged, and the samples and packets it left out.
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

// cpu is the state of a CPU between windows.
type cpu struct {
	groups    []*group      // of incomplete windows, the oldest first
	alive     time.Duration // end of the latest window
	last      *reported
	idleExits idleExitHistory
}

// reported is what clipToPrevious needs of the previous stall.
type reported struct {
	start, end  time.Duration
	waiter      event.Waiter
	isKsoftirqd bool
}

// New returns a Tracker without any events.
func New(config Config) *Tracker {
	if config.Threshold <= 0 {
		config.Threshold = DefaultThreshold
	}
	if config.Recorded <= 0 {
		config.Recorded = DefaultThreshold
	}
	return &Tracker{config: config, syscalls: kernel.SyscallsOf(config.Arch), cpus: map[int]*cpu{}}
}

// Add takes the next event. It returns a stall if the event completes one, nil otherwise.
// It keeps no memory of the event but frames and stacks, which a Source does not reuse.
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

// window judges a window whose samples and packets have all been added.
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
