// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestCountersOfScenarios makes packets die in each way there is. The kernel's counter of
// such deaths, if it has one, moves by as many, in the namespace and on the device where
// they died.
func TestCountersOfScenarios(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 5
	for _, s := range lab.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			scene, err := s.Prepare()
			labtest.Need(t, err)
			closeAfter(t, scene.Close)
			inhabit(t, scene.Net())
			r := newReader(t)
			before := r.counters(scene.Net())
			out, err := scene.Send(t.Context(), n)
			if err != nil {
				t.Fatal(err)
			}
			counter, ok := counterOf(out, scene.Net())
			if !ok {
				t.Logf("%q is none of a node's", out.Counter)
				return
			}
			moved := difference(before, r.counters(scene.Net()))
			if moved[counter] != n {
				t.Errorf("%d deaths moved %v by %d, others %v", n, counter, moved[counter], moved)
			}
		})
	}
}

// TestCountersOfNothingElse: in both namespaces only the given counters move.
func TestCountersOfNothingElse(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 5
	for _, test := range []struct {
		scenario string
		want     func(*lab.Net) map[event.Counter]uint64
	}{
		{"udp-closed-port", func(net *lab.Net) map[event.Counter]uint64 {
			return map[event.Counter]uint64{protocolCounter(net.Rx, "UdpNoPorts"): n}
		}},
		{"unknown-ethertype", func(net *lab.Net) map[event.Counter]uint64 {
			return map[event.Counter]uint64{deviceCounter(net.Rx, event.CounterLink, "rx_dropped", ""): n}
		}},
		// The sender gets an error (net_xmit_errno), and counts, too.
		{"tbf-overlimit", func(net *lab.Net) map[event.Counter]uint64 {
			return map[event.Counter]uint64{
				deviceCounter(net.Tx, event.CounterQdisc, "dropped", "tbf 1:"): n,
				protocolCounter(net.Tx, "UdpSndbufErrors"):                     n,
				protocolCounter(net.Tx, "IpOutDiscards"):                       n,
			}
		}},
	} {
		t.Run(test.scenario, func(t *testing.T) {
			scene := prepare(t, test.scenario)
			inhabit(t, scene.Net())
			r := newReader(t)
			before := r.counters(scene.Net())
			if _, err := scene.Send(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			got := difference(before, r.counters(scene.Net()))
			if d := cmp.Diff(test.want(scene.Net()), got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// counterOf translates what a scenario calls the counter it watches. That of a pair's end
// is in the namespace of that end, where packets may die on the other one.
func counterOf(out lab.Outcome, network *lab.Net) (event.Counter, bool) {
	counter := event.Counter{Netns: event.Netns{Inode: out.Expect.Netns}}
	first, name, _ := strings.Cut(out.Counter, " ")
	switch {
	case first == "snmp" || first == "snmp6" || first == "netstat":
		counter.Source, counter.Name = event.CounterProtocol, strings.ReplaceAll(name, ".", "")
	case name == "rx_dropped" || name == "tx_dropped":
		counter.Source, counter.Device, counter.Name = event.CounterLink, first, name
	case name == "tbf drops":
		counter.Source, counter.Device, counter.Name, counter.Part = event.CounterQdisc, first, "dropped", "tbf 1:"
	case name == "clsact drops":
		counter.Source, counter.Device, counter.Name, counter.Part = event.CounterQdisc, first, "dropped", "clsact ffff:"
	default:
		return counter, false
	}
	if counter.Device != "" {
		counter.Index = out.Expect.Ifindex
	}
	for _, h := range []*lab.Host{network.Tx, network.Rx} {
		if counter.Device == h.Device {
			counter.Netns.Inode, counter.Index = h.Netns, h.Ifindex
		}
	}
	return counter, true
}

func protocolCounter(h *lab.Host, name string) event.Counter {
	return event.Counter{Source: event.CounterProtocol, Name: name, Netns: event.Netns{Inode: h.Netns}}
}

func deviceCounter(h *lab.Host, source event.CounterSource, name, part string) event.Counter {
	return event.Counter{Source: source, Name: name, Netns: event.Netns{Inode: h.Netns}, Device: h.Device, Index: h.Ifindex, Part: part}
}
