// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// statusLine is one line on a terminal that is written over once a second. It is
// silent elsewhere.
type statusLine struct {
	terminal *os.File // nil: silent
	last     time.Duration
	drops    uint64 // so far, without benign ones
}

func newStatusLine(w io.Writer, options recordOptions) *statusLine {
	if options.quiet || !isTerminal(w) {
		return &statusLine{}
	}
	return &statusLine{terminal: w.(*os.File)}
}

func (l *statusLine) show(t *event.Tick) {
	if l.terminal == nil {
		return
	}
	var drops uint64
	busiest := event.Count{}
	for _, c := range t.Counts {
		if profile.IsPart(c.Cell) || dropreason.Of(c.Cell).Class == dropreason.ClassBenign {
			continue
		}
		drops += c.Drops
		if c.Drops > busiest.Drops {
			busiest = c
		}
	}
	elapsed := (t.Time - l.last).Seconds()
	l.last = t.Time
	l.drops += drops
	text := fmt.Sprintf("%s  %s drops/s  %s in all", clockText(t.Time),
		spell.Thousands(uint64(float64(drops)/elapsed+0.5)), spell.Thousands(l.drops))
	if busiest.Drops > 0 {
		text += fmt.Sprintf("  most %s at %s", busiest.Cell.Reason, busiest.Cell.Location)
	}
	if lost := t.Loss.RingFull + t.Loss.StackFailed + t.Loss.StackTable + t.Loss.Overflow; lost > 0 {
		text += fmt.Sprintf("  lost %s", spell.Thousands(lost))
	}
	width, _, err := term.GetSize(int(l.terminal.Fd()))
	if runes := []rune(text); err == nil && width > 1 && len(runes) >= width {
		text = string(runes[:width-2]) + "…"
	}
	fmt.Fprintf(l.terminal, "\r\x1b[K%s", text)
}

func (l *statusLine) clear() {
	if l.terminal != nil {
		fmt.Fprint(l.terminal, "\r\x1b[K")
	}
}

// clockText spells a duration as 01:23 or 1:02:03.
func clockText(d time.Duration) string {
	s := int(d.Seconds())
	if s < 3600 {
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}
