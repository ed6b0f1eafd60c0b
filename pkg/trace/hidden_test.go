// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// What must be reached with reasons hidden, shares of drops.
const (
	leastAgreement = 0.95 // of what was inferred, with the kernel
	leastInferred  = 0.15 // of all, 0.20 on 6.18; the others are unspecified
)

// TestReasonsHidden has packets die in every way the lab knows, on a kernel that says
// why, and compares what would be inferred if it did not.
func TestReasonsHidden(t *testing.T) {
	labtest.NeedRoot(t)
	var all hidden
	for _, scenario := range lab.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			var here hidden
			for _, c := range deaths(t, scenario) {
				here.add(t, c)
			}
			if here.inferred+here.unspecified == 0 {
				t.Log("no drop with a reason")
			}
			all.inferred += here.inferred
			all.unspecified += here.unspecified
			all.agreed += here.agreed
		})
	}
	switch {
	case all.inferred+all.unspecified == 0:
		labtest.Need(t, fmt.Errorf("find drops with a reason: %w", errors.ErrUnsupported))
	case all.inferred == 0:
		t.Fatal("nothing was inferred")
	}
	agreement := float64(all.agreed) / float64(all.inferred)
	share := float64(all.inferred) / float64(all.inferred+all.unspecified)
	t.Logf("inferred %.3f of %d drops, agreement %.3f", share, all.inferred+all.unspecified, agreement)
	if agreement < leastAgreement || share < leastInferred {
		t.Errorf("inferred %.3f of all drops, %.3f of them as the kernel says; want %.2f and %.2f",
			share, agreement, leastInferred, leastAgreement)
	}
}

// hidden counts drops for which the kernel states the reason.
type hidden struct{ inferred, agreed, unspecified uint64 }

func (h *hidden) add(t *testing.T, c event.Count) {
	stated := c.Cell.Reason
	if stated.Inferred || stated.Name == dropreason.NotSpecified {
		return
	}
	inferred, ok := dropreason.Infer(c.Cell.Location.Symbol)
	switch {
	case !ok:
		h.unspecified += c.Drops
		t.Logf("%d %s at %s: unspecified", c.Drops, stated, c.Cell.Location)
		return
	case inferred == stated.Name:
		h.agreed += c.Drops
		t.Logf("%d %s at %s: agreed", c.Drops, stated, c.Cell.Location)
	default:
		t.Logf("%d %s at %s: inferred %s, WRONG", c.Drops, stated, c.Cell.Location, inferred)
	}
	h.inferred += c.Drops
}

// deaths runs a scenario and returns what died in its namespaces.
func deaths(t *testing.T, scenario lab.Scenario) []event.Count {
	t.Helper()
	scene, err := scenario.Prepare()
	labtest.Need(t, err)
	defer func() {
		if err := scene.Close(); err != nil {
			t.Error(err)
		}
	}()
	network := scene.Net()
	s := watch(t, trace.Config{}, func() {
		if _, err := scene.Send(t.Context(), 40); err != nil {
			t.Error(err)
		}
	})
	return slices.DeleteFunc(slices.Collect(maps.Values(s.counts)), func(c event.Count) bool {
		netns := c.Cell.Netns.Inode
		return netns != network.Tx.Netns && netns != network.Rx.Netns
	})
}
