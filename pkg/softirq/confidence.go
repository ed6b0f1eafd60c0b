// SPDX-License-Identifier: Apache-2.0

package softirq

import "github.com/dropwatch/dropwatch/pkg/event"

// Thresholds of confidence, in percent.
const (
	enoughSamples = 3
	mostAgree     = 80
	mostAccounted = 80
	mostCovered   = 80
)

// confidence rates a candidate; see the package comment.
func (s *Stall) confidence(f candidate) Confidence {
	level := s.rate(f)
	if f.capped {
		level = min(level, Medium)
	}
	if len(s.Unavailable) > 0 {
		level = max(level, Medium) - 1
	}
	if f.doubtful {
		level = Low
	}
	return level
}

func (s *Stall) rate(f candidate) Confidence {
	covered := 0.0
	if d := s.Duration(); d > 0 {
		covered = 100 * float64(f.blamed) / float64(d)
	}
	isTimed := f.verdict == HardirqLong || f.verdict == OtherSoftirq
	isSampled := s.Samples >= enoughSamples && 2*(s.Samples+s.SamplesLeft) >= s.Expected
	switch {
	case f.verdict == Unexplained, 100*s.Accounted < mostAccounted:
		return Low
	case isTimed && f.named && covered >= mostCovered:
		return High
	case isSampled && 100*s.Agreeing >= mostAgree*s.Samples:
		return High
	case isSampled && f.stack && !f.capped && 2*s.Agreeing < s.Samples:
		return Low // most samples say something else
	case covered >= 50:
		return Medium
	}
	return Low
}

// unavailable lists what this kernel does not tell.
func (e *evidence) unavailable(samples []event.CPUSample) []Source {
	count, pending := true, true
	for i := range samples {
		count = count && samples[i].At.CountKnown
		pending = pending && samples[i].PendingKnown
	}
	var missing []Source
	if !count {
		missing = append(missing, SourceCount)
	}
	if !pending {
		missing = append(missing, SourcePending)
	}
	if !e.window.StolenKnown {
		missing = append(missing, SourceStolen)
	}
	return missing
}
