// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// counted is a recording in which only cells tell: storm, rare and unseen.
func counted(name string, d time.Duration, drops ...uint64) Recording {
	tick := &event.Tick{Time: d / 2}
	for i, n := range drops {
		tick.Counts = append(tick.Counts, event.Count{Cell: []*event.Cell{storm, rare, unseen}[i], Drops: n, Bytes: n * 100})
		tick.Totals.Drops += n
		tick.Totals.Bytes += n * 100
	}
	return Recording{name, &script{events: []event.Event{tick, &event.End{Time: d, Totals: tick.Totals}}}}
}

func on(kernel, buildID string, r Recording) Recording {
	meta := r.Source.Meta()
	meta.Kernel, meta.BuildID = kernel, buildID
	return r
}

func dimensions(t *testing.T, by string) []Dimension {
	t.Helper()
	parsed, err := ParseDimensions(by)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func exactly(drops ...uint64) []Value {
	var values []Value
	for _, n := range drops {
		values = append(values, Value{Drops: n, Bytes: n * 100, Exact: true})
	}
	return values
}

func TestCompareClasses(t *testing.T) {
	const second = time.Second
	type steps = []ChangeClass
	change := func(reason string, values []Value, delta float64, class ChangeClass, steps steps, rates ...float64) Change {
		return Change{Key: []string{reason}, Values: values, Trend: Trend{rates, delta, class, steps}, Exact: true}
	}
	const policy, port, backlog = "NETFILTER_DROP", "NO_SOCKET", "CPU_BACKLOG"
	for name, test := range map[string]struct {
		recordings []Recording
		minChange  float64
		total      Trend
		changes    []Change
	}{
		"all fall alike": {
			[]Recording{counted("a", 10*second, 100_000, 2000, 400), counted("b", 10*second, 1000, 20, 4)}, 0.1,
			Trend{[]float64{10_240, 102.4}, 102.4 - 10_240, ClassChanged, steps{ClassChanged}},
			[]Change{
				change(policy, exactly(100_000, 1000), -9900, ClassChanged, steps{ClassChanged}, 10_000, 100),
				change(port, exactly(2000, 20), -198, ClassChanged, steps{ClassChanged}, 200, 2),
				change(backlog, exactly(400, 4), 0.4-40, ClassChanged, steps{ClassChanged}, 40, 0.4),
			},
		},
		"new, gone and the same": {
			[]Recording{counted("a", second, 100, 0, 30), counted("b", second, 109, 40, 0)}, 0.1,
			Trend{[]float64{130, 149}, 19, ClassChanged, steps{ClassChanged}},
			[]Change{
				change(port, exactly(0, 40), 40, ClassNew, steps{ClassNew}, 0, 40),
				change(backlog, exactly(30, 0), -30, ClassGone, steps{ClassGone}, 30, 0),
				change(policy, exactly(100, 109), 9, ClassSame, steps{ClassSame}, 100, 109),
			},
		},
		"at the threshold": {
			// Neither 1/10 nor 1/3 is a float: a tenth must stay one.
			[]Recording{counted("a", 3*second, 1000, 90, 1000), counted("b", 3*second, 900, 100, 899)}, 0.1,
			Trend{[]float64{2090 / 3., 1899 / 3.}, 1899/3. - 2090/3., ClassSame, steps{ClassSame}},
			[]Change{
				change(backlog, exactly(1000, 899), 899/3.-1000/3., ClassChanged, steps{ClassChanged}, 1000/3., 899/3.),
				change(policy, exactly(1000, 900), 300-1000/3., ClassSame, steps{ClassSame}, 1000/3., 300),
				change(port, exactly(90, 100), 100/3.-30, ClassSame, steps{ClassSame}, 30, 100/3.),
			},
		},
		"only in the middle": {
			[]Recording{counted("a", second, 10, 0), counted("b", 2*second, 10, 8), counted("c", second, 10, 0)}, 0,
			Trend{[]float64{10, 9, 10}, 0, ClassSame, steps{ClassChanged, ClassChanged}},
			[]Change{
				change(policy, exactly(10, 10, 10), 0, ClassSame, steps{ClassChanged, ClassChanged}, 10, 5, 10),
				change(port, exactly(0, 8, 0), 0, ClassGone, steps{ClassNew, ClassGone}, 0, 4, 0),
			},
		},
		"the same rate over other times": {
			// 0.3 and 0.9 are no floats either: equal rates must differ by nothing.
			[]Recording{counted("a", 300*time.Millisecond, 1, 5), counted("b", 900*time.Millisecond, 3, 15)}, 0,
			Trend{[]float64{20, 20}, 0, ClassSame, steps{ClassSame}},
			[]Change{
				change(port, exactly(5, 15), 0, ClassSame, steps{ClassSame}, 50/3., 50/3.),
				change(policy, exactly(1, 3), 0, ClassSame, steps{ClassSame}, 10/3., 10/3.),
			},
		},
		"ties go by rate, then by key": {
			[]Recording{counted("a", second, 5, 5, 50), counted("b", second, 10, 10, 55)}, 0,
			Trend{[]float64{60, 75}, 15, ClassChanged, steps{ClassChanged}},
			[]Change{
				change(backlog, exactly(50, 55), 5, ClassChanged, steps{ClassChanged}, 50, 55),
				change(policy, exactly(5, 10), 5, ClassChanged, steps{ClassChanged}, 5, 10),
				change(port, exactly(5, 10), 5, ClassChanged, steps{ClassChanged}, 5, 10),
			},
		},
		"no drops": {
			[]Recording{counted("a", second, 0), counted("b", second)}, 0,
			Trend{[]float64{0, 0}, 0, ClassSame, steps{ClassSame}}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := CompareOptions{By: dimensions(t, "reason"), MinChange: test.minChange}
			got, err := Compare(test.recordings, options)
			if err != nil {
				t.Fatal(err)
			}
			want := &Comparison{
				Sides: got.Sides, By: []string{"reason"}, MinChange: test.minChange, Exact: true,
				Total: test.total, Changes: test.changes, Count: len(test.changes),
			}
			// Nothing is only approximately 0.
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestCompareEstimates: a side that was sampled cannot be sure to lack a group.
func TestCompareEstimates(t *testing.T) {
	all := &script{events: []event.Event{
		sampled(rare, portStack, event.ContextIdle, "swapper/1", 1, 1), sampled(rare, portStack, event.ContextIdle, "dig", 1, 1),
		&event.Tick{Counts: []event.Count{{Cell: rare, Drops: 2, Bytes: 200}}}, &event.End{Time: 2 * time.Second},
	}}
	got, err := Compare([]Recording{{"sampled", sample()}, {"exact", all}}, CompareOptions{By: dimensions(t, "comm")})
	if err != nil {
		t.Fatal(err)
	}
	var none uint64
	want := &Comparison{
		Sides: []Side{
			{
				"sampled", &sample().meta, 2 * time.Second, Value{1010, 101_000, 5, false, 0}, 0,
				event.Totals{Drops: 1010, Bytes: 101_000, Sampled: 5, Read: 5}, event.Loss{RingFull: 1, Missed: &none}, 0, nil, 0, 0, nil,
			},
			{"exact", &event.Meta{}, 2 * time.Second, Value{2, 200, 2, true, 0}, 0, event.Totals{}, event.Loss{}, 0, nil, 0, 0, nil},
		},
		By:    []string{"comm"},
		Total: Trend{[]float64{505, 1}, -504, ClassChanged, []ChangeClass{ClassChanged}},
		Changes: []Change{
			{[]string{"curl"}, []Value{{707, 70_707, 2, false, 0}, {Exact: true}},
				Trend{[]float64{353.5, 0}, -353.5, ClassGone, []ChangeClass{ClassGone}}, false},
			{[]string{"a;b"}, []Value{{293, 29_293, 1, false, 0}, {Exact: true}},
				Trend{[]float64{146.5, 0}, -146.5, ClassGone, []ChangeClass{ClassGone}}, false},
			{[]string{Unsampled}, []Value{{8, 800, 0, false, 0}, {Exact: true}},
				Trend{[]float64{4, 0}, -4, ClassGone, []ChangeClass{ClassGone}}, false},
			{[]string{"swapper/1"}, []Value{{2, 200, 2, true, 0}, {1, 100, 1, true, 0}},
				Trend{[]float64{1, 0.5}, -0.5, ClassChanged, []ChangeClass{ClassChanged}}, true},
			{[]string{"dig"}, []Value{{Exact: false}, {1, 100, 1, true, 0}},
				Trend{[]float64{0, 0.5}, 0.5, ClassNew, []ChangeClass{ClassNew}}, false},
		},
		Count: 5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCompareKernels(t *testing.T) {
	moved := *storm
	moved.Location = &event.Frame{Addr: 0xffffffff81000998, Symbol: nft.Symbol, Offset: 0x98}
	moved.Reason = event.Reason{Code: 1, Name: storm.Reason.Name, Inferred: true}
	for name, test := range map[string]struct {
		kernels, buildIDs [2]string
		by                string
		byFunction        bool
		keys              []string
	}{
		"one build":            {[2]string{"6.1", "6.1"}, [2]string{"aa", "aa"}, "location", false, []string{"nft_do_chain+0x10", "nft_do_chain+0x98"}},
		"one release":          {[2]string{"6.1", "6.1"}, [2]string{}, "location", false, []string{"nft_do_chain+0x10", "nft_do_chain+0x98"}},
		"one build id unknown": {[2]string{"6.1", "6.1"}, [2]string{"aa", ""}, "location", false, []string{"nft_do_chain+0x10", "nft_do_chain+0x98"}},
		"other builds":         {[2]string{"6.1", "6.1"}, [2]string{"aa", "bb"}, "reason,location", true, []string{"NETFILTER_DROP nft_do_chain"}},
		"other releases":       {[2]string{"6.1", "6.2"}, [2]string{}, "location", true, []string{"nft_do_chain"}},
		"no locations":         {[2]string{"6.1", "6.2"}, [2]string{}, "reason", false, []string{"NETFILTER_DROP"}},
		"inferred on one":      {[2]string{"5.10", "6.2"}, [2]string{}, "reason,proto", false, []string{"NETFILTER_DROP UDP"}},
		"inferred on the same": {[2]string{"6.1", "6.1"}, [2]string{}, "reason", false, []string{"NETFILTER_DROP", "~NETFILTER_DROP"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := on(test.kernels[0], test.buildIDs[0], counted("a", time.Second, 10))
			b := on(test.kernels[1], test.buildIDs[1], counted("b", time.Second, 10))
			b.Source.(*script).events[0].(*event.Tick).Counts[0].Cell = &moved
			c, err := Compare([]Recording{a, b}, CompareOptions{By: dimensions(t, test.by)})
			if err != nil {
				t.Fatal(err)
			}
			var keys []string
			for _, change := range c.Changes {
				keys = append(keys, strings.Join(change.Key, " "))
			}
			if diff := cmp.Diff(test.keys, keys); diff != "" || c.ByFunction != test.byFunction {
				t.Errorf("ByFunction %t, -want +got:\n%s", c.ByFunction, diff)
			}
		})
	}
}

// TestCompareOrder: neither the order of counts and samples nor that of Go's maps
// shows. By cells, since what estimates are rounded to goes with the order.
func TestCompareOrder(t *testing.T) {
	compare := func(a, b *script) *Comparison {
		c, err := Compare([]Recording{{"a", a}, {"b", b}}, CompareOptions{By: dimensions(t, "reason,location,device")})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	shuffled := func() *script {
		s := sample()
		drops, counts := s.events[:5], s.events[5].(*event.Tick).Counts
		rand.Shuffle(len(drops), func(i, j int) { drops[i], drops[j] = drops[j], drops[i] })
		rand.Shuffle(len(counts), func(i, j int) { counts[i], counts[j] = counts[j], counts[i] })
		return s
	}
	want := compare(sample(), sample())
	for range 20 {
		if diff := cmp.Diff(want, compare(shuffled(), shuffled())); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

func TestCompareCut(t *testing.T) {
	cut := counted("b", 2*time.Second, 10)
	of := cut.Source.(*script)
	of.events, of.err = of.events[:1], &event.CutError{Line: 9}
	c, err := Compare([]Recording{counted("a", time.Second, 10), cut}, CompareOptions{By: dimensions(t, "reason")})
	if err != nil || c.Sides[0].Cut != nil || c.Sides[1].Cut == nil || c.Sides[1].Rate() != 10 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestCompareErrors(t *testing.T) {
	damage := errors.New("damage")
	damaged := func(d time.Duration) Recording {
		r := counted("b.zst", d, 10)
		of := r.Source.(*script)
		of.events, of.err = of.events[:1], damage
		return r
	}
	whole := counted("a.zst", time.Second, 10)
	for name, test := range map[string]struct {
		recordings []Recording
		minChange  float64
		want       string
		compared   bool
	}{
		"one recording":         {[]Recording{whole}, 0, "compare 1 recording: needs two or more", false},
		"threshold in per cent": {[]Recording{whole, whole}, 10, "compare with a smallest change of 10: needs a share from 0 to 1", false},
		"threshold is nothing":  {[]Recording{whole, whole}, math.NaN(), "compare with a smallest change of NaN: needs a share from 0 to 1", false},
		"no time":               {[]Recording{counted("a", time.Second), counted("b.zst", 0, 10)}, 0, "b.zst covers no time: cannot give rates", false},
		"damaged":               {[]Recording{counted("a", time.Second), damaged(time.Second)}, 0, "read b.zst: damage", true},
		"damaged at the start":  {[]Recording{damaged(0), counted("a", 1)}, 0, "read b.zst: damage\nb.zst covers no time: cannot give rates", false},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Compare(test.recordings, CompareOptions{By: dimensions(t, "reason"), MinChange: test.minChange})
			if err == nil || err.Error() != test.want {
				t.Errorf("error %v, want %s", err, test.want)
			}
			if strings.Contains(test.want, "damage") && !errors.Is(err, damage) {
				t.Errorf("error %v does not wrap what was met", err)
			}
			if (c != nil) != test.compared {
				t.Errorf("comparison %+v", c)
			}
		})
	}
}
