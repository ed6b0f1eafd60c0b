// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestSendAgain sends twice in each scene: the second time no queue has to be filled first.
func TestSendAgain(t *testing.T) {
	labtest.NeedRoot(t)
	c := newChecker(t)
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			scene := c.prepare(t, s)
			defer c.tracer.unwatch(scene.Net())
			defer scene.Close()
			c.drops(scene, scene.Expect())
			for _, n := range []int{2, 3} {
				out, err := scene.Send(t.Context(), n)
				if err != nil {
					t.Fatal(err)
				}
				if got := c.drops(scene, out.Expect); got[describe(out.Expect)] != n || len(got) != 1 {
					t.Errorf("got %s, want %d × %s", lines(got), n, describe(out.Expect))
				}
			}
		})
	}
}

func TestSendRefusesNothing(t *testing.T) {
	labtest.NeedRoot(t)
	for _, n := range []int{0, -1} {
		if _, err := Scenarios()[0].Run(t.Context(), n); err == nil {
			t.Errorf("%d drops: got no error", n)
		}
	}
}

func TestSendEndsWithContext(t *testing.T) {
	labtest.NeedRoot(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range Scenarios() {
		if _, err := s.Run(ctx, 10); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v, want %v", s.Name, err, context.Canceled)
		}
	}
}

func TestScenarioNames(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Scenarios() {
		if s.Name == "" || s.Doc == "" || seen[s.Name] {
			t.Errorf("scenario %q (%q): name or description missing, or name taken", s.Name, s.Doc)
		}
		seen[s.Name] = true
	}
}
