// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"fmt"
	"io"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/softirq"
)

// StallSums finds the stalls among events and adds them up.
type StallSums struct {
	tracker   *softirq.Tracker
	threshold time.Duration // of what is said where there is none
	sums      *Stalls
	loss      *event.StallLoss
	told      uint64 // records
}

// NewStallSums returns empty sums for the events of a recording.
func NewStallSums(meta *event.Meta) *StallSums {
	config := softirq.ConfigOf(meta)
	return &StallSums{tracker: softirq.New(config), threshold: cmp.Or(config.Threshold, softirq.DefaultThreshold), sums: NewStalls()}
}

// Add adds an event.
func (a *StallSums) Add(e event.Event) {
	if end, ok := e.(*event.End); ok {
		a.loss = end.Stalls
	} else if IsStallRecord(e) {
		a.told++
	}
	if stall := a.tracker.Add(e); stall != nil {
		a.sums.Add(stall)
	}
}

// quiet reports whether there is nothing to tell: nothing waited, or nobody watched.
func (a *StallSums) quiet() bool {
	return len(a.sums.rows) == 0 && (a.loss == nil || a.loss.Submitted == 0 && a.loss.RingFull == 0 && a.loss.Paused == 0)
}

// WriteText writes a table of so many rows, 0 for all, and what became of what the
// kernel told.
func (a *StallSums) WriteText(w io.Writer, limit int) error {
	if err := a.sums.Write(w, a.threshold, limit); err != nil {
		return err
	}
	said := "stalls were not watched for, or the recording was cut short"
	if a.loss != nil {
		said = StallAccounting(a.loss, a.told)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", said)
	return err
}

// WriteJSON writes the sums as one document.
func (a *StallSums) WriteJSON(w io.Writer) error {
	return encode(w, stallsJSON{Stalls: a.sums.rowsJSON(), Lost: a.loss})
}
