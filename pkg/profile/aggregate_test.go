// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func group(t *testing.T, src event.Source, by string) *Sums[string] {
	t.Helper()
	dimensions, err := ParseDimensions(by)
	if err != nil {
		t.Fatal(err)
	}
	byCell := true
	for _, m := range dimensions {
		byCell = byCell && m.ByCell
	}
	sums, err := Aggregate(src, byCell, func(c *event.Cell, d *event.Drop) string {
		var values []string
		for _, m := range dimensions {
			values = append(values, m.Value(c, d))
		}
		return strings.Join(values, "|")
	})
	if err != nil {
		t.Fatal(err)
	}
	return sums
}

func TestAggregate(t *testing.T) {
	for by, want := range map[string]map[string]*Value{
		"reason": {
			"NETFILTER_DROP": {1000, 100_000, 3, true, 0},
			"NO_SOCKET":      {2, 200, 2, true, 0},
			"CPU_BACKLOG":    {8, 800, 0, true, 0},
		},
		"layer,class": {
			"netfilter|policy":  {1000, 100_000, 3, true, 0},
			"socket|peer error": {2, 200, 2, true, 0},
			"device|loss":       {8, 800, 0, true, 0},
		},
		"device,netns,proto": {
			"eth0|host|UDP": {1000, 100_000, 3, true, 0},
			"lo|host|UDP":   {2, 200, 2, true, 0},
			"if9|-|ARP":     {8, 800, 0, true, 0},
		},
		"location": {
			"nft_do_chain+0x10":        {1000, 100_000, 3, true, 0},
			"udp_unicast_rcv_skb+0x10": {2, 200, 2, true, 0},
			"enqueue_to_backlog+0x10":  {8, 800, 0, true, 0},
		},
		"comm": { // 1000 divided as 700 to 290, the weights of their samples
			"curl":      {707, 70_707, 2, false, 0},
			"a;b":       {293, 29_293, 1, false, 0},
			"swapper/1": {2, 200, 2, true, 0},
			Unsampled:   {8, 800, 0, false, 0},
		},
		"flow": {
			"UDP 10.0.0.1:4000 > 10.0.0.2:53": {709, 70_907, 4, false, 0},
			"UDP 10.0.0.1:4001 > 10.0.0.2:53": {293, 29_293, 1, false, 0},
			Unsampled:                         {8, 800, 0, false, 0},
		},
		"context,cpu,pid,dst": {
			"softirq|1|40|10.0.0.2:53":                   {707, 70_707, 2, false, 0},
			"process|1|40|10.0.0.2:53":                   {293, 29_293, 1, false, 0},
			"idle|1|40|10.0.0.2:53":                      {2, 200, 2, true, 0},
			strings.Repeat(Unsampled+"|", 3) + Unsampled: {8, 800, 0, false, 0},
		},
	} {
		t.Run(by, func(t *testing.T) {
			sums := group(t, sample(), by)
			if diff := cmp.Diff(want, sums.Of); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if sums.Total.Drops != 1010 || sums.Total.Bytes != 101_000 || sums.Duration != 2*time.Second {
				t.Errorf("total %+v in %s", sums.Total, sums.Duration)
			}
		})
	}
}

// TestOverflow: what found no room in the table is shared out by its samples.
func TestOverflow(t *testing.T) {
	spilled := sampled(rare, portStack, event.ContextIdle, "x", 30, 1)
	spilled.Overflow = true
	src := &script{events: []event.Event{
		sampled(storm, softirqStack, event.ContextSoftirq, "curl", 1, 1), spilled,
		&event.Tick{Counts: []event.Count{{Cell: storm, Drops: 1, Bytes: 100}, {Cell: overflow, Drops: 50, Bytes: 60}}},
		&event.End{},
	}}
	want := map[string]*Value{
		"NETFILTER_DROP": {1, 100, 1, true, 0},
		"NO_SOCKET":      {50, 60, 1, false, 0},
	}
	if diff := cmp.Diff(want, group(t, src, "reason").Of); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	src.events = []event.Event{&event.Tick{Counts: []event.Count{{Cell: overflow, Drops: 50, Bytes: 60}}}, &event.End{}}
	want = map[string]*Value{"[overflow]": {50, 60, 0, false, 0}}
	if diff := cmp.Diff(want, group(t, src, "reason").Of); diff != "" {
		t.Errorf("without samples, -want +got:\n%s", diff)
	}
}

// TestCut: of what was counted after the last tick only samples tell.
func TestCut(t *testing.T) {
	src := sample()
	src.events, src.err = src.events[:5], &event.CutError{Line: 9}
	sums := group(t, src, "reason")
	want := map[string]*Value{"NETFILTER_DROP": {990, 99_000, 3, true, 0}, "NO_SOCKET": {2, 200, 2, true, 0}}
	if diff := cmp.Diff(want, sums.Of); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if sums.Cut == nil || sums.Cut.Line != 9 {
		t.Errorf("Cut is %v", sums.Cut)
	}
	if got := sums.Sampled; got.Sampled != 5 || got.Read != 5 {
		t.Errorf("%+v; want the 5 samples that were read", got)
	}
}

func TestErrorKeepsWhatWasRead(t *testing.T) {
	src := sample()
	damage := errors.New("damage")
	src.events, src.err = src.events[:6], damage
	sums, err := Fold(src, StackOptions{})
	if !errors.Is(err, damage) || sums.Total.Drops != 1010 {
		t.Errorf("%d drops and error %v", sums.Total.Drops, err)
	}
}

func TestDivider(t *testing.T) {
	check := func(whole uint64, small []uint16) bool {
		whole >>= 8
		d := divider{whole: whole}
		for _, p := range small {
			d.parts += uint64(p)
		}
		var sum uint64
		for _, p := range small {
			given := d.next(uint64(p))
			if exact := float64(whole) * float64(p) / float64(d.parts); d.parts > 0 && (float64(given) < exact*0.999-2 || float64(given) > exact*1.001+2) {
				return false
			}
			sum += given
		}
		return sum == whole || d.parts == 0
	}
	if err := quick.Check(check, nil); err != nil {
		t.Error(err)
	}
	hostile := divider{whole: 1 << 63, parts: 4}
	if got := hostile.next(1 << 60); got != 0 {
		t.Errorf("parts that are larger than their sum give %d", got)
	}
}

func TestParseDimensions(t *testing.T) {
	if _, err := ParseDimensions("reason,color"); err == nil || !strings.Contains(err.Error(), `cannot group by "color": choose from reason, `) {
		t.Errorf("error %v", err)
	}
	if got, err := ParseDimensions(" reason, flow"); err != nil || len(got) != 2 || got[1].Name != "flow" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestSegments divides a cell's segments as its samples hold them.
func TestSegments(t *testing.T) {
	joined := sampled(storm, softirqStack, event.ContextSoftirq, "bulk", 1, 1)
	joined.Segments = 40
	single := sampled(storm, softirqStack, event.ContextSoftirq, "dns", 1, 2)
	single.Segments = 1
	source := func() *script {
		return &script{events: []event.Event{
			joined, single,
			&event.Tick{Counts: []event.Count{{Cell: storm, Drops: 20, Bytes: 2000, Segments: 410}}}, &event.End{},
		}}
	}
	by, err := ParseDimensions("comm")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := Aggregate(source(), false, Grouping(by).Key)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]*Value{"bulk": {10, 1000, 1, false, 400}, "dns": {10, 1000, 1, false, 10}}
	if diff := cmp.Diff(want, sums.Of); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	p, _, err := PProf(source(), PProfOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var segments int64
	for _, s := range p.Sample {
		segments += s.Value[2]
	}
	if p.SampleType[2].Type != "segments" || segments != 410 || p.DefaultSampleType != "drops" {
		t.Errorf("%d %s, %s are drawn", segments, p.SampleType[2].Type, p.DefaultSampleType)
	}
}
