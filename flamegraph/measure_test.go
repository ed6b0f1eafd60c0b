// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// steps are the stacks of two recordings: rates before, after, and the larger
// of both, in thousandths.
func steps() []Sample {
	rate := func(before, after uint64, stack ...string) Sample {
		return Sample{Stack: stack, Value: max(before, after), More: []uint64{before, after}}
	}
	return []Sample{
		rate(50_000, 500, "softirq", "ip_rcv", "CPU_BACKLOG"),
		rate(4_000, 9_000, "softirq", "ip_rcv", "NO_SOCKET"),
		rate(8_000, 8_100, "softirq", "tcp_v4_rcv"),
		rate(3_000, 0, "process", "ip_output", "QDISC_DROP"),
		rate(0, 2_500, "process", "ip_output", "NEIGH_FAILED"),
	}
}

func comparison() Options {
	change := &Change{From: 1, To: 2, FromName: "before", ToName: "after", Least: 0.1}
	return Options{
		Title: "Before and after",
		Measures: []Measure{
			{Name: "before → after", Unit: "packets/s", Scale: 1e-3, Change: change},
			{Name: "before", Unit: "packets/s", Column: 1, Scale: 1e-3, Change: change},
			{Name: "after", Unit: "packets/s", Column: 2, Scale: 1e-3, Change: change},
		},
	}
}

func TestChangeGolden(t *testing.T) {
	got := draw(t, merge(t, steps()), comparison())
	checkNesting(t, readPicture(t, got).rows())
	golden := filepath.Join("testdata", "change.svg")
	got = bytes.Replace(bytes.Replace(got, []byte(script()), []byte("script"), 1), []byte(style), []byte("style"), 1)
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", golden, diff)
	}
}

func TestChangeKind(t *testing.T) {
	tests := []struct {
		from, to uint64
		want     string
	}{
		{0, 0, "same"}, {5, 5, "same"}, {0, 1, "new"}, {1, 0, "gone"},
		{100, 110, "same"}, {100, 112, "more"}, {100, 200, "more"}, {100, 201, "more than twice"},
		{100, 90, "same"}, {100, 89, "less"}, {100, 50, "less"}, {100, 49, "less than half"},
	}
	change := Change{Least: 0.1}
	for _, tt := range tests {
		if got := changeKinds[change.kind(tt.from, tt.to)].Name; got != tt.want {
			t.Errorf("from %d to %d: got %s, want %s", tt.from, tt.to, got, tt.want)
		}
	}
}

// TestChangeIsInclusive sees a parent whose children changed and a frame that
// is gone, which is still drawn.
func TestChangeIsInclusive(t *testing.T) {
	p := readPicture(t, draw(t, merge(t, steps()), comparison()))
	classes := make(map[string]string)
	for _, row := range p.rows() {
		for _, r := range row.Rects {
			classes[r.Title] = r.Class
		}
	}
	want := map[string]string{
		"all\n72.6 packets/s, 100%\nbefore 65.0, after 20.1 packets/s, -69.1%":            "root",
		"softirq\n67.1 packets/s, 92.42%\nbefore 62.0, after 17.6 packets/s, -71.6%":      "d1",
		"process\n5.50 packets/s, 7.58%\nbefore 3.00, after 2.50 packets/s, -16.7%":       "d2",
		"ip_output\n5.50 packets/s, 7.58%\nbefore 3.00, after 2.50 packets/s, -16.7%":     "d2",
		"ip_rcv\n59.0 packets/s, 81.27%\nbefore 54.0, after 9.50 packets/s, -82.4%":       "d1",
		"tcp_v4_rcv\n8.10 packets/s, 11.16%\nbefore 8.00, after 8.10 packets/s, +1.3%":    "d3",
		"CPU_BACKLOG\n50.0 packets/s, 68.87%\nbefore 50.0, after 0.500 packets/s, -99.0%": "d1",
		"NO_SOCKET\n9.00 packets/s, 12.40%\nbefore 4.00, after 9.00 packets/s, +125.0%":   "d5",
		"QDISC_DROP\n3.00 packets/s, 4.13%\nbefore 3.00, after 0 packets/s":               "d0",
		"NEIGH_FAILED\n2.50 packets/s, 3.44%\nbefore 0, after 2.50 packets/s":             "d6",
	}
	if diff := cmp.Diff(want, classes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLegendAddsUp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples []Sample
		options Options
		want    map[string]uint64
	}{
		{
			"categories", parse(t, []byte("a;ip_rcv;x 1\nip_rcv;tcp_v4_rcv;NO_SOCKET 20\nip_rcv;nf_hook;ip_reject 300\nx;y 4000\nip_rcv;tcp_v4_rcv;IP_CSUM 50000\n")),
			layers(), map[string]uint64{"IP": 50301, "TCP": 20, "other": 4000},
		},
		{
			"changes", steps(), comparison(),
			map[string]uint64{"less than half": 50_000, "more than twice": 9_000, "same": 8_100, "gone": 3_000, "new": 2_500},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := merge(t, tt.samples)
			v := view{graph: g, palette: g.palette(tt.options), measure: tt.options.Measures[0], axis: g.axes[0]}
			kinds, sums := v.ends()
			got := make(map[string]uint64)
			for i, sum := range sums {
				if sum > 0 {
					got[kinds[i].Name] = sum
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMeasureLeavesOutFramesWithoutValue(t *testing.T) {
	o := comparison()
	o.Measure = 2
	p := readPicture(t, draw(t, merge(t, steps()), o))
	if words := legendWords(p); slices.Contains(words, "gone 0%") || !slices.Contains(words, "new 12.44%") {
		t.Errorf("legend is %q", words)
	}
	for _, row := range p.rows() {
		for _, r := range row.Rects {
			if bytes.HasPrefix([]byte(r.Title), []byte("QDISC_DROP")) {
				t.Errorf("%q is drawn", r.Title)
			}
		}
	}
	if got := p.stacks["process;ip_output;QDISC_DROP"]; !slices.Equal(got, []uint64{3000, 3000, 0}) {
		t.Errorf("the data have %v", got)
	}
}

func legendWords(p picture) (words []string) {
	for _, key := range p.group("legend").Rows {
		for _, text := range key.Texts {
			words = append(words, text.Text+text.Span)
		}
	}
	return words
}

func TestFormatValue(t *testing.T) {
	tests := []struct {
		value uint64
		scale float64
		want  string
	}{
		{1234567, 1, "1,234,567"}, {1234567, 1e-3, "1,235"}, {99_949, 1e-3, "99.9"}, {1234, 1e-3, "1.23"},
		{123, 1e-3, "0.123"}, {1, 1e-6, "0.00000100"}, {0, 1e-6, "0"}, {7, 1000, "7,000"},
	}
	for _, tt := range tests {
		if got := formatValue(tt.value, tt.scale); got != tt.want {
			t.Errorf("%d by %v: got %s, want %s", tt.value, tt.scale, got, tt.want)
		}
	}
}

func TestColumnsMustAgree(t *testing.T) {
	_, err := New(slices.Values([]Sample{{Stack: []string{"a"}, Value: 1}, {Stack: []string{"b"}, Value: 1, More: []uint64{2}}}))
	if err == nil || err.Error() != "sample 2: 2 values, not 1 as before" {
		t.Errorf("error %v", err)
	}
}
