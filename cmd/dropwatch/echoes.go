// SPDX-License-Identifier: Apache-2.0

package main

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/rtt"
	"github.com/dropwatch/dropwatch/pkg/softirq"
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
func (t *echoes) window(w *event.Window, stall *softirq.Stall) error {
	for _, p := range t.pending {
		if p.CPU != w.CPU || p.judged || p.Time > w.Done {
			continue
		}
		p.judged = true
		if stall != nil && p.Queued < stall.End {
			p.Verdict = stall.Verdict
			if c := stall.Culprit; c != nil {
				p.Because = c.Name()
				if doing := c.Doing(); doing != "-" {
					p.Because += " in " + doing
				}
			}
		}
	}
	return t.flush(false)
}

// reply takes a line of the log.
func (t *echoes) reply(r rtt.Reply) error {
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
