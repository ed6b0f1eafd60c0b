// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestTogether has packets die in every way the lab knows under tracers by each rung. It
// is what guests run, in which opening a tracer takes seconds.
func TestTogether(t *testing.T) {
	labtest.NeedRoot(t)
	var scenes []scene
	kill := func() { scenes = killAll(t) }
	rungs := trace.Rungs()
	all := make([]*seen, len(rungs))
	for i, rung := range rungs {
		tracer, err := trace.OpenBy(trace.Config{Exact: true}, rung)
		if err != nil {
			t.Fatal(err)
		}
		inner := kill
		kill = func() { all[i] = watchBy(t, tracer, func(*seen) { inner() }) }
	}
	kill()
	for i, rung := range rungs {
		t.Run(rung, func(t *testing.T) { compareAll(t, scenes, all[i]) })
	}
}

// compareAll compares the drops of each scenario with those that a tracer reported.
func compareAll(t *testing.T, scenes []scene, s *seen) {
	silent, inferred := withoutReasons(t), map[string]bool{}
	for _, scene := range scenes {
		t.Run(scene.name, func(t *testing.T) {
			switch {
			case silent && scene.name == "tcp-bad-sequence":
				needUntraced(t, s, scene.want)
				return
			case silent: // what is inferred has to be right all the same
				scene.want.Reasons = append(scene.want.Reasons, dropreason.NotSpecified)
			}
			compare(t, s, scene.want)
			for _, c := range s.in(scene.want.Netns) {
				if matches(c.Cell, scene.want) {
					t.Logf("%d %s at %s", c.Drops, c.Cell.Reason, c.Cell.Location)
					inferred[c.Cell.Reason.Name] = c.Cell.Reason.Inferred
				}
			}
		})
	}
	for _, reason := range []string{"CPU_BACKLOG", "NETFILTER_DROP", "NEIGH_FAILED", "NEIGH_QUEUEFULL", "FRAG_REASM_TIMEOUT"} {
		if silent && !inferred[reason] {
			t.Errorf("%s was not inferred, on a kernel that states no reasons", reason)
		}
	}
}

// needUntraced checks that packets died unseen: before 5.18 tcp_drop() ends in
// __kfree_skb(), which has no tracepoint (net/ipv4/tcp_input.c).
func needUntraced(t *testing.T, s *seen, want lab.Expect) {
	t.Helper()
	for _, c := range s.in(want.Netns) {
		t.Errorf("%d drops at %s, want none", c.Drops, c.Cell.Location)
	}
}

// scene is what has died of one scenario.
type scene struct {
	name string
	want lab.Expect
}

// killAll runs the scenarios one after the other. Their networks last as long as the
// test, as inode numbers of namespaces are used again.
func killAll(t *testing.T) (scenes []scene) {
	for _, scenario := range lab.Scenarios() {
		ready, err := scenario.Prepare()
		if err != nil {
			t.Run(scenario.Name, func(t *testing.T) { labtest.Need(t, err) })
			continue
		}
		t.Cleanup(func() {
			if err := ready.Close(); err != nil {
				t.Error(err)
			}
		})
		out, err := ready.Send(t.Context(), 40)
		if err != nil {
			t.Error(err)
		}
		scenes = append(scenes, scene{scenario.Name, out.Expect})
	}
	return scenes
}

// withoutReasons says whether the kernel states no reasons: it is older than 5.17.
func withoutReasons(t *testing.T) bool {
	t.Helper()
	names, err := kernelreason.FromKernel(btf.NewCache())
	if err != nil {
		t.Fatal(err)
	}
	return len(names.All()) == 0
}
