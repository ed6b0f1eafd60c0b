// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// The columns of steps.
const (
	byBoth = iota // the larger one
	byBefore
	byAfter
)

// steps are the stacks of two recordings, in thousandths of a packet per second.
func steps() []flamegraph.Sample {
	var all []flamegraph.Sample
	add := func(before, after uint64, stack string) {
		all = append(all, flamegraph.Sample{Stack: strings.Split(stack, ";"), Value: max(before, after), More: []uint64{before, after}})
	}
	add(50_000, 500, "[softirq];ip_rcv;CPU_BACKLOG")
	add(4_000, 9_000, "[softirq];ip_rcv;NO_SOCKET")
	add(8_000, 8_100, "[softirq];tcp_v4_rcv")
	add(10_000, 13_000, "[softirq];udp_rcv;SOCKET_RCVBUFF")
	add(10_000, 8_000, "[softirq];udp_rcv;UDP_CSUM")
	add(3_000, 0, "[process: curl];ip_output;QDISC_DROP")
	add(0, 2_500, "[process: curl];ip_output;NEIGH_FAILED")
	add(2_000, 0, "[process: gone];ip_output;QDISC_DROP")
	return all
}

// comparison are the options of steps.
func comparison() flamegraph.Options {
	change := &flamegraph.Change{From: byBefore, To: byAfter, FromName: "before", ToName: "after", Least: 0.1}
	measure := func(name string, column int) flamegraph.Measure {
		return flamegraph.Measure{Name: name, Unit: "packets/s", Column: column, Scale: 1e-3, Change: change}
	}
	return flamegraph.Options{
		Title:    "Drops before and after",
		Subtitle: "10m0s each, on node7.",
		Measures: []flamegraph.Measure{measure("before → after", byBoth), measure("before", byBefore), measure("after", byAfter)},
	}
}

// changes are the classes of steps' frames by inclusive change, and in words.
var changes = map[string][2]string{
	"":                                       {"root", "before 87.0, after 41.1 packets/s, -52.8%"},
	"[softirq]":                              {"d1", "before 82.0, after 38.6 packets/s, -52.9%"},
	"[softirq];ip_rcv":                       {"d1", "before 54.0, after 9.50 packets/s, -82.4%"},
	"[softirq];ip_rcv;CPU_BACKLOG":           {"d1", "before 50.0, after 0.500 packets/s, -99.0%"},
	"[softirq];ip_rcv;NO_SOCKET":             {"d5", "before 4.00, after 9.00 packets/s, +125.0%"},
	"[softirq];tcp_v4_rcv":                   {"d3", "before 8.00, after 8.10 packets/s, +1.3%"},
	"[softirq];udp_rcv":                      {"d3", "before 20.0, after 21.0 packets/s, +5.0%"},
	"[softirq];udp_rcv;SOCKET_RCVBUFF":       {"d4", "before 10.0, after 13.0 packets/s, +30.0%"},
	"[softirq];udp_rcv;UDP_CSUM":             {"d2", "before 10.0, after 8.00 packets/s, -20.0%"},
	"[process: curl]":                        {"d2", "before 3.00, after 2.50 packets/s, -16.7%"},
	"[process: curl];ip_output":              {"d2", "before 3.00, after 2.50 packets/s, -16.7%"},
	"[process: curl];ip_output;QDISC_DROP":   {"d0", "before 3.00, after 0 packets/s"},
	"[process: curl];ip_output;NEIGH_FAILED": {"d6", "before 0, after 2.50 packets/s"},
	"[process: gone]":                        {"d0", "before 2.00, after 0 packets/s"},
	"[process: gone];ip_output":              {"d0", "before 2.00, after 0 packets/s"},
	"[process: gone];ip_output;QDISC_DROP":   {"d0", "before 2.00, after 0 packets/s"},
}

func TestChange(t *testing.T) {
	m := newModel(steps())
	tab := openSVG(t, steps(), comparison())
	for column, measure := range comparison().Measures {
		tab.clickOn(".switch button", measure.Name)
		tab.checkPlaces(m, column, "")
		want, got := make(map[string][2]string), make(map[string][2]string)
		for path := range m.places(column, "") {
			want[path] = changes[path]
		}
		for _, b := range tab.boxes() {
			got[b.Path] = [2]string{b.Class, b.Change}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", measure.Name, diff)
		}
	}
}

// TestChangeLegend sees the kinds of what stacks themselves did.
func TestChangeLegend(t *testing.T) {
	tab := openSVG(t, steps(), comparison())
	for _, step := range []struct {
		measure string
		want    []string
	}{
		{"before → after", []string{"new 2.56%", "more than twice 9.22%", "more 13.32%", "same 8.30%", "less 10.25%", "less than half 51.23%", "gone 5.12%"}},
		{"before", []string{"more than twice 4.60%", "more 11.49%", "same 9.20%", "less 11.49%", "less than half 57.47%", "gone 5.75%"}},
		{"after", []string{"new 6.08%", "more than twice 21.90%", "more 31.63%", "same 19.71%", "less 19.46%", "less than half 1.22%"}},
	} {
		tab.clickOn(".switch button", step.measure)
		if diff := cmp.Diff(step.want, tab.legend()); diff != "" {
			t.Errorf("legend of %s (-want +got):\n%s", step.measure, diff)
		}
	}
	tab.clickOn(".switch button", "before")
	tab.clickOn(".legend .key", "gone 5.75%")
	if got, want := tab.text(".status"), "5.75% matched · 2 frames"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}
