// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"maps"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestScenarios compares each scenario with a tracer: in its two namespaces
// exactly the packets die that it speaks of, from Send to Close, and none like
// them before.
func TestScenarios(t *testing.T) {
	labtest.NeedRoot(t)
	c := newChecker(t)
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			for _, n := range []int{1, 7, 1100} {
				c.check(t, s, n)
			}
		})
	}
}

// A checker holds Outcomes against what a tracer saw.
type checker struct {
	tracer  *tracer
	symbols []symbol
	reasons map[uint32]string
}

func newChecker(t *testing.T) *checker {
	t.Helper()
	return &checker{newTracer(t), kernelSymbols(t), reasonNames(t)}
}

func (c *checker) check(t *testing.T, s Scenario, n int) {
	t.Helper()
	scene := c.prepare(t, s)
	before, missed := c.drops(scene, scene.Expect()), c.tracer.misses()
	out, err := scene.Send(t.Context(), n)
	if err != nil {
		t.Error(err)
	}
	if err := scene.Close(); err != nil {
		t.Error(err)
	}
	c.tracer.unwatch(scene.Net())
	deaths := c.tracer.deaths(scene.Net())
	got, want := c.count(deaths, scene, out.Expect), map[string]int{describe(out.Expect): n}
	if !maps.Equal(got, want) {
		t.Errorf("drops (%d missed)\n got %s\nwant %s", c.tracer.misses()-missed, lines(got), lines(want))
	}
	if before[describe(out.Expect)] != 0 {
		t.Errorf("set-up dropped packets of the same kind: %s", lines(before))
	}
	if n == 1 && len(deaths) > 0 {
		d := deaths[0]
		t.Logf("%s, counter %q, %d sent, %s", c.reasons[d.Reason], out.Counter, out.Sent, d.stack(c.symbols))
	}
}

// prepare sets a scene that is watched from before its making.
func (c *checker) prepare(t *testing.T, s Scenario) *Scene {
	t.Helper()
	network, err := newNet(s.arp)
	labtest.Need(t, err)
	c.tracer.watch(network)
	scene, err := s.prepareIn(network)
	if err != nil {
		c.tracer.unwatch(network)
	}
	labtest.Need(t, err)
	return scene
}

// drops counts by their looks the packets that have died since the last call.
func (c *checker) drops(scene *Scene, want Expect) map[string]int {
	return c.count(c.tracer.deaths(scene.Net()), scene, want)
}

func (c *checker) count(deaths []death, scene *Scene, want Expect) map[string]int {
	counts := map[string]int{}
	for _, d := range deaths {
		counts[describe(d.expect(scene.Net(), want, c.symbols, c.reasons))]++
	}
	return counts
}
