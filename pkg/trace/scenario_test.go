// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestScenarios has packets die in every way the lab knows, and compares what the
// tracer saw with what the lab did: every drop, and of each its reason, device,
// headers and stack.
func TestScenarios(t *testing.T) {
	testScenarios(t, "tp_btf")
}

// TestScenariosRaw does the same by the second rung, which reads with helpers.
func TestScenariosRaw(t *testing.T) {
	testScenarios(t, "raw_tp")
}

func testScenarios(t *testing.T, rung string) {
	labtest.NeedRoot(t)
	const drops = 40
	for _, scenario := range lab.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			scene, err := scenario.Prepare()
			labtest.Need(t, err)
			defer func() {
				if err := scene.Close(); err != nil {
					t.Error(err)
				}
			}()
			tracer, err := trace.OpenBy(trace.Config{}, rung)
			if err != nil {
				t.Fatal(err)
			}
			if hooks := tracer.Meta().Hooks; len(hooks) != 1 || hooks[0].Rung != rung {
				t.Errorf("hooks %v, want %s", hooks, rung)
			}
			var out lab.Outcome
			s := watchBy(t, tracer, func(*seen) {
				if out, err = scene.Send(t.Context(), drops); err != nil {
					t.Error(err)
				}
			})
			compare(t, s, out.Expect)
		})
	}
}

func compare(t *testing.T, s *seen, want lab.Expect) {
	t.Helper()
	if want.Drops == 0 {
		t.Fatal("the lab made no drops")
	}
	counted, sampled := s.of(want)
	for i := range s.drops {
		d := &s.drops[i]
		if !matches(d.Cell, want) {
			continue
		}
		if !sameHeaders(&d.Packet, want) {
			t.Errorf("headers %+v, want %s > %s", d.Packet, want.Src, want.Dst)
		}
		if missing := want.MissingFrames(symbols(d.Stack)); missing != nil {
			t.Errorf("stack %v lacks %v", symbols(d.Stack), missing)
		}
		if got := dropreason.At(d.Cell.Reason.Name, d.Cell.Place()); want.Class != "" &&
			d.Cell.Reason.Name == want.Reasons[0] && string(got.Class) != want.Class && !unsaid(d.Cell) {
			t.Errorf("class %s at %s, want %s", got.Class, d.Cell.Location, want.Class)
		}
		if d.Context == event.ContextUnknown {
			t.Error("context unknown")
		}
		if d.Stack != nil && d.Stack.Frames[0].Addr != d.Cell.Location.Addr {
			t.Errorf("stack begins with %s, not with the location %s", d.Stack.Frames[0], d.Cell.Location)
		}
	}
	if counted != want.Drops || sampled != want.Drops {
		t.Errorf("counted %d and sampled %d drops, want %d of %v on %s", counted, sampled, want.Drops, want.Reasons, want.Device)
		for _, c := range s.in(want.Netns) {
			t.Logf("  %d %s on %q (%d) %s at %s", c.Drops, c.Cell.Reason.Name, c.Cell.Device.Name, c.Cell.Device.Index, c.Cell.Proto(), c.Cell.Location)
		}
	}
}

func matches(c *event.Cell, want lab.Expect) bool {
	return c.Netns.Inode == want.Netns && slices.Contains(want.Reasons, c.Reason.Name) &&
		c.Device.Name == want.Device && c.Device.Index == want.Ifindex &&
		c.Ethertype == want.Ethertype && c.Protocol == want.Protocol
}

func sameHeaders(p *event.Packet, want lab.Expect) bool {
	same := func(addr netip.Addr, port uint16, want netip.AddrPort) bool {
		return addr == want.Addr() && port == want.Port()
	}
	if p.HasVLAN != (want.VLAN != 0) || p.VLAN != want.VLAN {
		return false
	}
	return same(p.Src, p.SrcPort, want.Src) && same(p.Dst, p.DstPort, want.Dst) &&
		p.EchoID == want.EchoID && p.EchoSeq == want.EchoSeq
}

func symbols(stack *event.Stack) (names []string) {
	if stack == nil {
		return nil
	}
	for _, f := range stack.Frames {
		names = append(names, f.Symbol)
	}
	return names
}

// unsaid reports whether a location does not tell what a drop stands for, on a kernel that
// states no reasons.
func unsaid(c *event.Cell) bool { return c.Reason.Code == 0 && c.Reason.Vague }
