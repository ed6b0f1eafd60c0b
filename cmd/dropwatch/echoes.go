// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/rtt"
	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// maxPending bounds the echo requests that wait for more to be known of them.
const maxPending = 4096

// echoes puts together what is known of each echo request: when the kernel handled
// it, the stall that held it up, the round-trip time in a log. Requests come out in
// the order in which they were handled.
type echoes struct {
	threshold time.Duration
	withRTT   bool
	pending   []*pendingEcho
	early     []rtt.Reply // whose requests were not seen yet
	unmatched int         // replies whose requests never were
	replies   []rtt.Reply // the last of the log, for drains
	show      func(*report.Echo) error
}

type pendingEcho struct {
	report.Echo
	judged bool // the stall is known, or that there is none
}

// add takes a request. One that was late waits for its window.
func (t *echoes) add(e *event.Echo) error {
	p := &pendingEcho{Echo: report.Echo{Echo: *e}}
	delay, known := p.Delay()
	p.judged = !known || delay < t.threshold
	for i := range t.early {
		if answers(&t.early[i], p) {
			p.RTT, p.HasRTT = t.early[i].RTT, true
			t.early = append(t.early[:i], t.early[i+1:]...)
			break
		}
	}
	t.pending = append(t.pending, p)
	return t.flush(false)
}

// window takes the end of a window on a CPU, and the stall it was, if any.
func (t *echoes) window(w *event.Window, s *stall.Stall) error {
	for _, p := range t.pending {
		if p.CPU != w.CPU || p.judged || p.Time > w.Done {
			continue
		}
		p.judged = true
		if s != nil && p.Queued < s.End {
			p.Verdict = s.Verdict
			if c := s.Culprit; c != nil {
				p.Because = c.Name()
				if doing := c.Doing(); doing != "-" {
					p.Because += " in " + doing
				}
			}
		}
	}
	return t.flush(false)
}

// follow takes events and lines of the log until both are at their end. It calls logEnded,
// if that is not nil, when the log ends first.
func (t *echoes) follow(tracker *softirq.Tracker, events <-chan event.Event, log <-chan rtt.Reply, logEnded func()) error {
	for events != nil || log != nil {
		var err error
		select {
		case reply, more := <-log:
			if more {
				err = t.reply(reply)
			} else if log = nil; logEnded != nil && events != nil {
				logEnded()
			}
		case e, more := <-events:
			if !more {
				events = nil
				break
			}
			stall := tracker.Add(e)
			switch e := e.(type) {
			case *event.Echo:
				err = t.add(e)
			case *event.Window:
				err = t.window(e, stall)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// maxReplies bounds the replies among which drains are looked for: ten minutes of a
// hundred a second.
const maxReplies = 1 << 16

// drains returns the instants at which replies came together, if the first of them waited
// for the threshold.
func (t *echoes) drains() []rtt.Drain {
	const together = time.Millisecond
	return slices.DeleteFunc(rtt.Drains(t.replies, together), func(d rtt.Drain) bool { return d.MaxRTT < t.threshold })
}

// reply takes a line of the log.
func (t *echoes) reply(r rtt.Reply) error {
	if t.replies = append(t.replies, r); len(t.replies) > 2*maxReplies {
		t.replies = slices.Delete(t.replies, 0, maxReplies)
	}
	if !r.ICMP || r.Unanswered || r.Duplicate {
		return nil
	}
	for _, p := range t.pending {
		if answers(&r, p) {
			p.RTT, p.HasRTT = r.RTT, true
			return t.flush(false)
		}
	}
	if t.early = append(t.early, r); len(t.early) > maxPending {
		t.early = t.early[1:]
		t.unmatched++
	}
	return nil
}

// answers reports whether a reply is that to a request; a log may not tell the
// identifier.
func answers(r *rtt.Reply, p *pendingEcho) bool {
	return !p.HasRTT && r.Wire == p.Packet.EchoSeq && (r.ID == 0 || r.ID == p.Packet.EchoID)
}

// flush shows requests up to the first of which something is still missing.
func (t *echoes) flush(all bool) error {
	for len(t.pending) > 0 {
		p := t.pending[0]
		if complete := p.judged && (p.HasRTT || !t.withRTT); !complete && !all && len(t.pending) < maxPending {
			return nil
		}
		t.pending = t.pending[1:]
		if err := t.show(&p.Echo); err != nil {
			return err
		}
	}
	return nil
}

// end shows what is left, and returns how many replies were to no request.
func (t *echoes) end() (int, error) {
	err := t.flush(true)
	return t.unmatched + len(t.early), err
}
