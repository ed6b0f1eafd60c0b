// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// Thresholds of confidence, in percent.
const (
	enoughSamples = 3
	mostAgree     = 80
	mostAccounted = 80
	mostCovered   = 80
)

// confidence returns the confidence of a candidate; the package comment has the rules.
func confidence(s *stall.Stall, f candidate) stall.Confidence {
	level := rate(s, f)
	if f.capped {
		level = min(level, stall.Medium)
	}
	if len(s.Unavailable) > 0 {
		level = max(level, stall.Medium) - 1
	}
	if f.doubtful {
		level = stall.Low
	}
	return level
}

// rate returns the confidence that samples and parts give, before any cap.
func rate(s *stall.Stall, f candidate) stall.Confidence {
	covered := 0.0
	if d := s.Duration(); d > 0 {
		covered = 100 * float64(f.blamed) / float64(d)
	}
	isTimed := f.verdict == stall.HardirqLong || f.verdict == stall.OtherSoftirq
	isSampled := s.Samples >= enoughSamples && 2*(s.Samples+s.SamplesLeft) >= s.Expected
	switch {
	case f.verdict == stall.Unexplained, 100*s.Accounted < mostAccounted:
		return stall.Low
	case isTimed && f.named && covered >= mostCovered:
		return stall.High
	case isSampled && 100*s.Agreeing >= mostAgree*s.Samples:
		return stall.High
	case isSampled && f.stack && !f.capped && 2*s.Agreeing < s.Samples:
		return stall.Low // most samples show something else
	case covered >= 50:
		return stall.Medium
	}
	return stall.Low
}

// unavailable returns the sources that this kernel lacks.
func unavailable(w *event.Window, samples []event.CPUSample) []stall.Source {
	count, pending := true, true
	for i := range samples {
		count = count && samples[i].At.CountKnown
		pending = pending && samples[i].PendingKnown
	}
	var missing []stall.Source
	if !count {
		missing = append(missing, stall.SourceCount)
	}
	if !pending {
		missing = append(missing, stall.SourcePending)
	}
	if !w.StolenKnown {
		missing = append(missing, stall.SourceStolen)
	}
	return missing
}
