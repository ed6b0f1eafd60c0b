// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/softirq"
)

// stallSums adds up the stalls among events.
type stallSums struct {
	tracker *softirq.Tracker
	sums    *report.Stalls
	loss    *event.StallLoss
}

func newStallSums(meta *event.Meta) *stallSums {
	return &stallSums{tracker: softirq.New(softirq.Config{Arch: meta.Arch}), sums: report.NewStalls()}
}

func (a *stallSums) add(e event.Event) {
	if end, ok := e.(*event.End); ok {
		a.loss = end.Stalls
	}
	if stall := a.tracker.Add(e); stall != nil {
		a.sums.Add(stall)
	}
}

// write writes a table if there is something to tell.
func (a *stallSums) write(w io.Writer) error {
	if a.loss == nil || a.loss.Submitted == 0 && a.loss.RingFull == 0 && a.loss.Paused == 0 {
		return nil
	}
	fmt.Fprintln(w)
	return a.writeText(w, 10)
}

// writeText writes a table of so many rows, and what became of what the kernel told.
func (a *stallSums) writeText(w io.Writer, limit int) error {
	if err := a.sums.Write(w, defaultThreshold, limit); err != nil {
		return err
	}
	said := "stalls were not watched for, or the recording was cut short"
	if a.loss != nil {
		said = report.StallAccounting(a.loss)
	}
	_, err := fmt.Fprintf(w, "\n%s\n", said)
	return err
}

func (a *stallSums) writeJSON(w io.Writer) error { return report.WriteStallsJSON(w, a.sums, a.loss) }
