// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// values returns the columns of a picture's stacks.
func values(p *Picture) map[string][]uint64 {
	all := map[string][]uint64{}
	for _, s := range p.Samples {
		key := strings.Join(s.Stack, ";")
		if all[key] == nil {
			all[key] = make([]uint64, 1+len(s.More))
		}
		for i, v := range append([]uint64{s.Value}, s.More...) {
			all[key][i] += v
		}
	}
	return all
}

func TestDraw(t *testing.T) {
	p, err := Draw([]Recording{{"node7", sample()}}, StackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]uint64{ // packets, bytes
		"[idle];udp_unicast_rcv_skb;NO_SOCKET":                                     {2, 200},
		"[not sampled];enqueue_to_backlog;CPU_BACKLOG":                             {8, 800},
		"[process: a;b];__x64_sys_sendto;nf_hook_slow;nft_do_chain;NETFILTER_DROP": {292, 29_292},
		"[softirq];[no stack];nft_do_chain;NETFILTER_DROP":                         {102, 10_102},
		"[softirq];nf_hook_slow;nft_do_chain;NETFILTER_DROP":                       {606, 60_606},
	}
	if diff := cmp.Diff(want, values(p)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if rate := p.Options.Measures[2]; rate.Column != 0 || rate.Scale != 0.5 {
		t.Errorf("the rate over two seconds is %+v", rate)
	}
	if want := "2026-11-22 14:00:00 on node7, 2s, Linux 6.18.0. 1,010 drops counted, 5 unwound, 1,005 not unwound; lost: 1 sample to a full ring buffer."; p.Options.Subtitle != want {
		t.Errorf("subtitle is %s", p.Options.Subtitle)
	}
	if got := strings.Join(p.Options.Notes, "|"); got != "Widths are estimated from samples; totals are exact." {
		t.Errorf("notes are %s", got)
	}
}

// TestDrawSeveral adds up packets, and rates rather than time.
func TestDrawSeveral(t *testing.T) {
	p, err := Draw([]Recording{counted("a", 2*time.Second, 10), counted("b", 10*time.Second, 10)}, StackOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := flamegraph.New(slices.Values(p.Samples))
	if err != nil {
		t.Fatal(err)
	}
	if got := []uint64{g.Total(0), g.Total(1), g.Total(2)}; !slices.Equal(got, []uint64{20, 2000, 6e6}) {
		t.Errorf("totals are %v", got)
	}
}

func TestDrawChange(t *testing.T) {
	two := []Recording{counted("before.jsonl.zst", time.Second, 100, 0, 30), counted("dir/after.jsonl.zst.old", 2*time.Second, 10, 40)}
	p, err := DrawChange(two, StackOptions{}, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	const policy, port, backlog = "[not sampled];nft_do_chain;NETFILTER_DROP", "[not sampled];udp_unicast_rcv_skb;NO_SOCKET", "[not sampled];enqueue_to_backlog;CPU_BACKLOG"
	want := map[string][]uint64{ // the larger, before, after, the larger of this step
		policy: {100e6, 100e6, 5e6, 100e6}, port: {20e6, 0, 20e6, 20e6}, backlog: {30e6, 30e6, 0, 30e6},
	}
	if diff := cmp.Diff(want, values(p)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	var names []string
	for _, m := range p.Options.Measures {
		names = append(names, m.Name)
	}
	if diff := cmp.Diff([]string{"before → after", "before", "after"}, names); diff != "" {
		t.Errorf("measures (-want +got):\n%s", diff)
	}

	three := []Recording{counted("x", time.Second, 100), counted("y", time.Second, 60), counted("x", time.Second, 0, 1)}
	p, err = DrawChange(three, StackOptions{}, 0.1)
	if err != nil {
		t.Fatal(err)
	}
	want = map[string][]uint64{policy: {100e6, 100e6, 60e6, 0, 100e6, 60e6}, port: {1e6, 0, 0, 1e6, 0, 1e6}}
	if diff := cmp.Diff(want, values(p)); diff != "" {
		t.Errorf("three (-want +got):\n%s", diff)
	}
	for i, want := range []flamegraph.Measure{
		{Name: "A → C", Column: 0, Change: &flamegraph.Change{From: 1, To: 3, FromName: "A", ToName: "C", Least: 0.1}},
		{Name: "A → B", Column: 4, Change: &flamegraph.Change{From: 1, To: 2, FromName: "A", ToName: "B", Least: 0.1}},
		{Name: "B → C", Column: 5, Change: &flamegraph.Change{From: 2, To: 3, FromName: "B", ToName: "C", Least: 0.1}},
	} {
		want.Unit, want.Scale = "packets/s", micro
		if diff := cmp.Diff(want, p.Options.Measures[i]); diff != "" {
			t.Errorf("measure %d (-want +got):\n%s", i, diff)
		}
	}
}

func TestDrawChangeFails(t *testing.T) {
	for want, recordings := range map[string][]Recording{
		"compare 1 recording: needs two or more": {counted("a", time.Second, 1)},
		"b covers no time: cannot give rates":    {counted("a", time.Second, 1), counted("b", 0, 1)},
	} {
		if p, err := DrawChange(recordings, StackOptions{}, 0.1); p != nil || err == nil || err.Error() != want {
			t.Errorf("picture %v, error %v, want %s", p, err, want)
		}
	}
}

// noBase says of every sample that it is of no base.
func noBase(*profile.Sample) bool { return false }

// programProfile has a location without a function, and one with an inlined one.
func programProfile() *profile.Profile {
	function := &profile.Function{ID: 1, Name: "main"}
	inlined := &profile.Function{ID: 2, Name: "small"}
	known := &profile.Location{ID: 1, Line: []profile.Line{{Function: inlined}, {Function: function}}}
	unknown := &profile.Location{ID: 2, Address: 0x40}
	return &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		Sample: []*profile.Sample{
			{Location: []*profile.Location{unknown, known}, Value: []int64{2, 20}},
			{Location: []*profile.Location{known}, Value: []int64{1, 5}},
		},
		Function: []*profile.Function{function, inlined}, Location: []*profile.Location{known, unknown},
	}
}

func TestDrawPProf(t *testing.T) {
	measures := []flamegraph.Measure{{Name: "samples", Unit: "samples"}, {Name: "cpu", Unit: "nanoseconds", Column: 1}}
	for name, test := range map[string]struct {
		shown string
		want  int
	}{"no default": {"", 1}, "the first": {"samples", 0}, "the last": {"cpu", 1}, "one that is not there": {"wall", 1}} {
		t.Run(name, func(t *testing.T) {
			of := programProfile()
			of.DefaultSampleType = test.shown
			p, err := DrawPProf([]*profile.Profile{of}, noBase)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string][]uint64{"main;small;0x40": {2, 20}, "main;small": {1, 5}}, values(p)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(measures, p.Options.Measures); diff != "" || p.Options.Measure != test.want {
				t.Errorf("measure %d, want %d, of (-want +got):\n%s", p.Options.Measure, test.want, diff)
			}
		})
	}
}

// TestDrawPProfTogether draws profiles whose values differ in order and number.
func TestDrawPProfTogether(t *testing.T) {
	one, other := programProfile(), programProfile()
	other.SampleType[0], other.SampleType[1] = other.SampleType[1], &profile.ValueType{Type: "other", Unit: "count"}
	p, err := DrawPProf([]*profile.Profile{one, other}, noBase)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]uint64{"main;small;0x40": {20 + 2}, "main;small": {5 + 1}}, values(p)); diff != "" || len(p.Options.Measures) != 1 {
		t.Errorf("%d measures, -want +got:\n%s", len(p.Options.Measures), diff)
	}

	one, other = programProfile(), programProfile()
	other.SampleType[1].Unit = "seconds"
	const want = "cpu is in seconds, and in nanoseconds before: draw one at a time"
	if _, err := DrawPProf([]*profile.Profile{one, other}, noBase); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := DrawPProf([]*profile.Profile{{}}, noBase); !errors.Is(err, errNoValues) {
		t.Errorf("error %v, want %v", err, errNoValues)
	}
}

// TestDrawPProfDifference draws values below 0: widths are how far they are from it, or
// with a base the larger side.
func TestDrawPProfDifference(t *testing.T) {
	for name, test := range map[string]struct {
		isBase func(*profile.Sample) bool
		want   map[string][]uint64
		names  string
	}{
		"merged": {noBase, map[string][]uint64{"main;small;0x40": {9, 9, 0, 70, 0, 70}, "main;small": {6, 5, 1, 30, 5, 25}}, "less, more"},
		"with a base": {
			func(s *profile.Sample) bool { return s.Value[0] == -5 },
			map[string][]uint64{"main;small;0x40": {9, 9, 0, 70, 0, 70}, "main;small": {5, 5, 1, 25, 5, 25}}, "before, after",
		},
	} {
		t.Run(name, func(t *testing.T) {
			of := programProfile()
			of.Sample[0].Value = []int64{-9, 70}
			of.Sample[1].Value = []int64{1, -5}
			of.Sample = append(of.Sample, &profile.Sample{Location: of.Sample[1].Location, Value: []int64{-5, 25}})
			p, err := DrawPProf([]*profile.Profile{of}, test.isBase)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, values(p)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			shown := p.Options.Measures[p.Options.Measure]
			if c := shown.Change; shown.Name != "cpu" || c == nil || c.FromName+", "+c.ToName != test.names || c.From != 4 || c.To != 5 {
				t.Errorf("shown is %+v, %+v", shown, shown.Change)
			}
		})
	}
}

func TestPProfNames(t *testing.T) {
	of := programProfile()
	of.Function[0].Name, of.Function[0].SystemName = "", "_ZN3app4loopEi"
	of.Function[1].Name, of.Function[1].SystemName = "kept(int)", "_ZN4keptEi"
	p, err := DrawPProf([]*profile.Profile{of}, noBase)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]uint64{"app::loop;kept(int);0x40": {2, 20}, "app::loop;kept(int)": {1, 5}}, values(p)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestDropFrames(t *testing.T) {
	for name, test := range map[string]struct {
		drop, keep string
		want       map[string][]uint64
	}{
		"a callee":         {"small", "", map[string][]uint64{"start;main": {3, 25}}},
		"one that is kept": {"s.*", "small", map[string][]uint64{"start;main;small;0x40": {2, 20}, "start;main;small": {1, 5}}},
		"not all of it":    {"sm", "", map[string][]uint64{"start;main;small;0x40": {2, 20}, "start;main;small": {1, 5}}},
		"nothing readable": {"(", "", map[string][]uint64{"start;main;small;0x40": {2, 20}, "start;main;small": {1, 5}}},
	} {
		t.Run(name, func(t *testing.T) {
			of := programProfile()
			root := &profile.Function{ID: 3, Name: "start"}
			of.Function = append(of.Function, root)
			start := &profile.Location{ID: 3, Line: []profile.Line{{Function: root}}}
			of.Location = append(of.Location, start)
			for _, s := range of.Sample {
				s.Location = append(s.Location, start)
			}
			of.DropFrames, of.KeepFrames = test.drop, test.keep
			p, err := DrawPProf([]*profile.Profile{of}, noBase)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, values(p)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	of := programProfile()
	of.DropFrames = strings.Repeat("(a{1000}|", 100) + strings.Repeat(")", 100)
	if _, err := DrawPProf([]*profile.Profile{of}, noBase); !errors.Is(err, errDropFrames) {
		t.Errorf("error %v, want %v", err, errDropFrames)
	}
}

func TestExplain(t *testing.T) {
	info := dropreason.Lookup("CPU_BACKLOG")
	want := []flamegraph.Fact{
		{Term: "Meaning", Text: info.Meaning},
		{Term: "Layer", Text: "device"},
		{Term: "Class", Text: "loss: traffic this node should have carried"},
		{Term: "To check", Text: info.Check},
		{Term: "To change", Text: info.Change},
		{Term: "Dropped in"},
		{Term: "Counters", Text: strings.Join(info.Counters, "; ")},
		{Term: "Settings", Text: "sysctl " + strings.Join(info.Sysctls, " ")},
	}
	if diff := cmp.Diff(want, StackOptions{}.Explain("CPU_BACKLOG", "enqueue_to_backlog")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !slices.Contains(info.Sysctls, "net.core.netdev_max_backlog") {
		t.Errorf("settings are %v", info.Sysctls)
	}
	want = slices.Insert(want, 3, flamegraph.Fact{Term: "Inferred", Text: "the kernel stated no reason; the location tells"})
	if diff := cmp.Diff(want, StackOptions{}.Explain("~CPU_BACKLOG", "enqueue_to_backlog")); diff != "" {
		t.Errorf("inferred (-want +got):\n%s", diff)
	}
	if got := (StackOptions{}).Explain("tcp_v4_rcv", "ip_local_deliver"); got != nil {
		t.Errorf("a function is explained: %v", got)
	}
	for _, fact := range (StackOptions{Root: dimensions(t, "reason")}).Explain("CPU_BACKLOG", "") {
		if fact.Term == "Dropped in" {
			t.Error("the parent of a root is where it was dropped")
		}
	}
}

func TestColor(t *testing.T) {
	for by, want := range map[string]string{"layer": "netfilter", "class": "policy"} {
		var o flamegraph.Options
		if err := Color(&o, by); err != nil {
			t.Fatal(err)
		}
		for _, frame := range []string{"NETFILTER_DROP", "~NETFILTER_DROP"} {
			if got := o.CategoryOf(frame, "nf_hook_slow"); got != want {
				t.Errorf("%s: %s is %s, want %s", by, frame, got, want)
			}
		}
	}
	var o flamegraph.Options
	if err := Color(&o, "name"); err != nil || o.CategoryOf != nil {
		t.Errorf("by name there are categories, or error %v", err)
	}
	if err := Color(&o, "rainbow"); err == nil || err.Error() != `no colors "rainbow": choose from layer, class, name` {
		t.Errorf("error %v", err)
	}
}

// TestLocationTells has a reason that means different things below its functions, in
// colors, explanations and paleness; one that is vague means what it does anywhere.
func TestLocationTells(t *testing.T) {
	var layers, classes flamegraph.Options
	if err := errors.Join(Color(&layers, "layer"), Color(&classes, "class")); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		frame, parent, class, layer string
		muted                       bool
	}{
		"elsewhere":      {"NO_SOCKET", "__udp4_lib_rcv", "peer error", "socket", false},
		"a ping's reply": {"NO_SOCKET", "ping_rcv", "benign", "IP", true},
		"a closing side": {"NOT_SPECIFIED", "tcp_rcv_state_process", "benign", "TCP", true},
		"vague":          {"NOT_SPECIFIED?", "tcp_v4_rcv", "unknown", "other", false},
		"to one host":    {"IP_INNOROUTES", "ip6_pkt_discard", "peer error", "IP", false},
		"to a group":     {"IP_INNOROUTES*", "ip6_pkt_discard", "benign", "IP", true},
		"as a root":      {"NO_SOCKET", "", "peer error", "socket", false},
		"a function":     {"ping_rcv", "icmp_rcv", "unknown", "IP", false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := classes.CategoryOf(test.frame, test.parent); got != test.class {
				t.Errorf("class %q, want %q", got, test.class)
			}
			if got := layers.CategoryOf(test.frame, test.parent); got != test.layer {
				t.Errorf("layer %q, want %q", got, test.layer)
			}
			if got := layers.Muted(test.frame, test.parent); got != test.muted {
				t.Errorf("muted: %t, want %t", got, test.muted)
			}
			info := dropreason.At(strings.TrimSuffix(test.frame, "*"), test.parent)
			if test.muted && !slices.Contains(StackOptions{}.Explain(test.frame, test.parent), flamegraph.Fact{Term: "Meaning", Text: info.Meaning}) {
				t.Errorf("its explanation does not say %q", info.Meaning)
			}
		})
	}
}
