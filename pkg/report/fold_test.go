// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

func TestFoldText(t *testing.T) {
	for name, test := range map[string]struct {
		by    string
		color bool
	}{
		"fold-reason.txt":  {"reason", false},
		"fold-proto.txt":   {"proto", false}, // no reason in the key
		"fold-flow.txt":    {"flow", false},  // estimates, but not of what is folded
		"fold-color.txt":   {"class,device", true},
		"fold-overlap.txt": {"location", false}, // one group is in part benign
	} {
		var b bytes.Buffer
		if err := WriteText(&b, readAs(t, test.by, Options{Fold: true}), test.color); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

// TestFoldSums has what is folded, shown and left out add up to all drops, and agree
// with the groups of reasons, whatever is grouped by. Shares are those of lost drops.
func TestFoldSums(t *testing.T) {
	for _, m := range profile.Dimensions() {
		for _, limit := range []int{0, 1} {
			r := readAs(t, m.Name, Options{Limit: limit, Fold: true})
			sum := r.Benign.Drops + r.More.Drops
			shares := r.More.Share
			for _, g := range r.Groups {
				sum += g.Drops
				shares += g.Share
			}
			if sum != r.Drops || shares < 0.999 || shares > 1.001 {
				t.Errorf("by %s, limit %d: %d drops of %d, shares of %g", m.Name, limit, sum, r.Drops, shares)
			}
			want := Folded{Group{Drops: 1, Bytes: 60, Rate: 0.1, Samples: 1, Exact: true},
				1, []string{"TCP_OLD_DATA"}}
			if diff := cmp.Diff(want, r.Benign); diff != "" {
				t.Errorf("by %s (-want +got):\n%s", m.Name, diff)
			}
		}
	}
}

// TestFoldNothing leaves reports without benign drops, and those not to be folded, as
// they are.
func TestFoldNothing(t *testing.T) {
	want := Folded{Group: Group{Exact: true}}
	if diff := cmp.Diff(want, read(t, "reason", 0).Benign); diff != "" {
		t.Errorf("not folded (-want +got):\n%s", diff)
	}
	src := &source{events: []event.Event{
		&event.Tick{Time: time.Second, Counts: []event.Count{{Cell: storm, Drops: 5, Bytes: 300}}},
		&event.End{Time: time.Second},
	}}
	r, err := Read(src, Options{By: profile.Dimensions()[:1], Fold: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, r.Benign); diff != "" || len(r.Groups) != 1 {
		t.Errorf("%d groups; (-want +got):\n%s", len(r.Groups), diff)
	}
}

// TestFoldAll has a line and no table where all drops are benign, and an overflow be
// no part of it.
func TestFoldAll(t *testing.T) {
	other := &event.Cell{Reason: event.Reason{Code: 8, Name: "OTHERHOST"}, Location: veth}
	overflow := &event.Cell{Location: &event.Frame{}, Overflow: true}
	counts := []event.Count{{Cell: benign, Drops: 1, Bytes: 60}, {Cell: other, Drops: 3, Bytes: 60}}
	read := func(loss event.Loss, counts ...event.Count) *Report {
		t.Helper()
		src := &source{meta: sample().meta, events: []event.Event{
			&event.Tick{Time: time.Second, Counts: counts, Loss: loss}, &event.End{Time: time.Second, Loss: loss},
		}}
		r, err := Read(src, Options{By: profile.Dimensions()[:2], Fold: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	var b bytes.Buffer
	if err := WriteText(&b, read(event.Loss{}, counts...), false); err != nil {
		t.Fatal(err)
	}
	golden(t, "fold-all.txt", b.Bytes())

	r := read(event.Loss{Overflow: 7}, append(counts, event.Count{Cell: overflow, Drops: 7})...)
	if r.Benign.Drops != 4 || len(r.Groups) != 1 || r.Groups[0].Drops != 7 || r.Exact {
		t.Errorf("with an overflow: %+v", r)
	}
}

// TestShares has a group's share be that of its lost drops, whether benign ones are in the
// group or not.
func TestShares(t *testing.T) {
	for _, fold := range []bool{false, true} {
		src := &source{meta: sample().meta, events: []event.Event{
			&event.Tick{Time: time.Second, Counts: []event.Count{
				{Cell: storm, Drops: 30, Segments: 30}, {Cell: benign, Drops: 60, Segments: 600}, {Cell: backlog, Drops: 10, Segments: 50},
			}},
			&event.End{Time: time.Second},
		}}
		by, err := profile.ParseDimensions("location")
		if err != nil {
			t.Fatal(err)
		}
		r, err := Read(src, Options{By: by, Fold: fold})
		if err != nil {
			t.Fatal(err)
		}
		shares := map[string]float64{}
		for _, g := range r.Groups {
			shares[g.Key[0]] = g.Share
		}
		want := map[string]float64{"nft_do_chain+0x10": 0.75, "veth_poll+0x20": 0.25}
		if diff := cmp.Diff(want, shares); diff != "" || r.Lost != (Loss{40, 80}) || r.Drops != 100 {
			t.Errorf("folded %t: %+v of %d lost (-want +got):\n%s", fold, r.Lost, r.Drops, diff)
		}
		var b bytes.Buffer
		if err := WriteText(&b, r, false); err != nil {
			t.Fatal(err)
		}
		golden(t, map[bool]string{false: "shares-all.txt", true: "shares.txt"}[fold], b.Bytes())
	}
}
