// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

var (
	full = &event.Cell{ID: 3, Reason: event.Reason{Code: 40, Name: "FULL_RING"},
		Location: &event.Frame{Addr: 1, Symbol: "tun_net_xmit", Offset: 0x1f}}
	closed = &event.Cell{ID: 4, Reason: event.Reason{Code: 3, Name: "NO_SOCKET"},
		Location: &event.Frame{Addr: 1, Symbol: "__udp4_lib_rcv", Offset: 0x7f5}}
)

// counted is a recording on the sample's machine in which only cells tell.
func counted(name string, after, d time.Duration, counts ...event.Count) profile.Recording {
	missed := uint64(0)
	s := &source{meta: sample().meta}
	s.meta.Start, s.meta.Notes = s.meta.Start.Add(after), nil
	tick := &event.Tick{Time: d / 2, Counts: counts, Loss: event.Loss{Missed: &missed}}
	for _, c := range counts {
		tick.Totals.Drops += c.Drops
		tick.Totals.Bytes += c.Bytes
	}
	s.events = []event.Event{tick, &event.End{Time: d, Totals: tick.Totals, Loss: tick.Loss}}
	return profile.Recording{Name: name, Source: s}
}

// The sample, then the machine with a larger ring, then with a larger queue besides.
func before() profile.Recording { return profile.Recording{Name: "before.jsonl.zst", Source: sample()} }

func ring() profile.Recording {
	return counted("ring.jsonl.zst", time.Hour, 10*time.Second, event.Count{Cell: storm, Drops: 12_345, Bytes: 740_700},
		event.Count{Cell: benign, Drops: 1, Bytes: 60}, event.Count{Cell: full, Drops: 30, Bytes: 1800})
}

func queue() profile.Recording {
	return counted("queue.jsonl.zst", 2*time.Hour, 20*time.Second, event.Count{Cell: storm, Drops: 123, Bytes: 7380},
		event.Count{Cell: benign, Drops: 2, Bytes: 120}, event.Count{Cell: closed, Drops: 5000, Bytes: 300_000})
}

// moved is the ring on another kernel, cut short.
func moved() profile.Recording {
	r := ring()
	s := r.Source.(*source)
	s.meta.Kernel, s.meta.Notes = "6.19.0", []string{"hooks: a note"}
	s.events, s.err = s.events[:1], &event.CutError{Line: 9, At: 5 * time.Second}
	return r
}

func compare(t *testing.T, by string, limit int, recordings ...profile.Recording) *profile.Comparison {
	t.Helper()
	dimensions, err := profile.ParseDimensions(by)
	if err != nil {
		t.Fatal(err)
	}
	return compareAs(t, profile.CompareOptions{By: dimensions, MinChange: 0.1, Limit: limit}, recordings...)
}

func compareAs(t *testing.T, o profile.CompareOptions, recordings ...profile.Recording) *profile.Comparison {
	t.Helper()
	c, err := profile.Compare(recordings, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDiffText(t *testing.T) {
	type recordings = []profile.Recording
	for name, test := range map[string]struct {
		by         string
		limit      int
		color      bool
		recordings recordings
	}{
		"diff.txt":         {DefaultDiffBy, 0, false, recordings{before(), queue()}},
		"diff-worse.txt":   {DefaultDiffBy, 0, false, recordings{queue(), before()}},
		"diff-steps.txt":   {DefaultDiffBy, 0, false, recordings{before(), ring(), queue()}},
		"diff-limit.txt":   {"reason", 2, false, recordings{before(), queue()}},
		"diff-color.txt":   {"reason", 0, true, recordings{before(), ring(), queue()}},
		"diff-kernels.txt": {DefaultDiffBy, 0, false, recordings{before(), moved()}},
		"diff-flow.txt":    {"comm,flow", 0, false, recordings{before(), ring()}},
		"diff-stack.txt":   {"stack", 0, false, recordings{before(), ring()}},
		"diff-empty.txt":   {"reason", 0, false, recordings{counted("a", 0, time.Second), counted("b", 0, time.Minute)}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteDiffText(&b, compare(t, test.by, test.limit, test.recordings...), test.color); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

// TestDiffFold leaves benign drops out of the groups, of which one has others too, and has
// them in no first line and no total.
func TestDiffFold(t *testing.T) {
	by, err := profile.ParseDimensions("location")
	if err != nil {
		t.Fatal(err)
	}
	noisy := counted("noisy.jsonl.zst", 0, time.Second, event.Count{Cell: storm, Drops: 10}, event.Count{Cell: benign, Drops: 5000})
	quiet := counted("quiet.jsonl.zst", time.Hour, 2*time.Second, event.Count{Cell: storm, Drops: 40}, event.Count{Cell: benign, Drops: 2})
	c := compareAs(t, profile.CompareOptions{By: by, MinChange: 0.1, Fold: true}, noisy, quiet)
	var b bytes.Buffer
	if err := WriteDiffText(&b, c, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "diff-fold.txt", b.Bytes())
}

func TestDiffJSON(t *testing.T) {
	for name, c := range map[string]*profile.Comparison{
		"diff.json":         compare(t, "reason,device", 0, before(), ring(), queue()),
		"diff-kernels.json": compare(t, "comm,location", 2, before(), moved()),
		"diff-empty.json":   compare(t, "reason", 0, counted("a", 0, time.Second), counted("b", 0, time.Minute)),
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteDiffJSON(&b, c); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

func TestChangeSpelling(t *testing.T) {
	for name, test := range map[string]struct {
		first, last        float64
		class              profile.ChangeClass
		wantRate, wantPart string
	}{
		"fall":             {1247, 13, profile.ClassChanged, "-1,234", "-99.0 %"},
		"growth":           {100, 112.34, profile.ClassChanged, "+12.3", "+12.3 %"},
		"many times":       {0.5, 1234, profile.ClassChanged, "+1,234", "+246,700 %"},
		"new":              {0, 40, profile.ClassNew, "+40", "new"},
		"gone":             {40, 0, profile.ClassGone, "-40", "-100.0 %"},
		"gone in between":  {0, 0, profile.ClassGone, "0", "gone"},
		"never any":        {0, 0, profile.ClassSame, "0", "0.0 %"},
		"same":             {7, 7, profile.ClassSame, "0", "0.0 %"},
		"hardly less":      {100_000, 99_999, profile.ClassSame, "-1", "-0.001 %"},
		"hardly more":      {100_000, 100_001, profile.ClassSame, "+1", "+0.001 %"},
		"hardly any left":  {123_456, 6.15, profile.ClassChanged, "-123,450", "-99.995 %"},
		"past what floats": {1e18, 1, profile.ClassChanged, "-1,000,000,000,000,000,000", "-100.0 %"},
	} {
		t.Run(name, func(t *testing.T) {
			trend := profile.Trend{Rates: []float64{test.first, test.last}, Delta: test.last - test.first, Class: test.class}
			if gotRate, gotPart := signedRate(trend.Delta), changePercent(trend); gotRate != test.wantRate || gotPart != test.wantPart {
				t.Errorf("%s (%s), want %s (%s)", gotRate, gotPart, test.wantRate, test.wantPart)
			}
		})
	}
	for i, want := range map[int]string{0: "A", 1: "B", 25: "Z", 26: "AA", 27: "AB", 51: "AZ", 52: "BA", 702: "AAA"} {
		if got := profile.Letter(i); got != want {
			t.Errorf("side %d is %s, want %s", i, got, want)
		}
	}
}
