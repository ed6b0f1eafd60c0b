// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outline returns a tree as text: a line a frame, indented by depth.
func outline(g *Graph) string {
	var b strings.Builder
	for i, n := range g.nodes {
		name := rootName
		if i > 0 {
			name = g.shown(n.name)
		}
		b.WriteString(strings.Repeat("  ", int(n.depth)) + name + " ")
		b.WriteString(formatCount(g.axes[0].total[i]))
		if self := g.own(g.axes[0], i); self > 0 {
			b.WriteString(" own " + formatCount(self))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestNew(t *testing.T) {
	tests := []struct {
		name, in, want string
	}{
		{"nothing", "", "all 0\n"},
		{"only zeros", "a;b 0\n", "all 0\n"},
		{
			// A sort of the lines puts a;b.cold between a;b and a;b;c.
			"names that sort before a semicolon",
			"a;b 5\na;b.cold 3\na;b;c 4\na;b-1 1\na;b/x 1\n",
			"all 14\n  a 14\n    b 9 own 5\n      c 4 own 4\n    b-1 1 own 1\n    b.cold 3 own 3\n    b/x 1 own 1\n",
		},
		{"stack given twice", "a;b 2\nc 1\na;b 3\n", "all 6\n  a 5\n    b 5 own 5\n  c 1 own 1\n"},
		{"recursion", "a;a;a 2\na;a 1\n", "all 3\n  a 3\n    a 3 own 1\n      a 2 own 2\n"},
		{"byte order of names", "é 1\nz 1\nZ 1\n\xff 1\n", "all 4\n  Z 1 own 1\n  z 1 own 1\n  é 1 own 1\n  \\xff 1 own 1\n"},
		{"empty frames", ";;a 1\n;b 2\n", "all 3\n   3\n     1\n      a 1 own 1\n    b 2 own 2\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, outline(merge(t, parse(t, []byte(tt.in))))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNewEmptyStack(t *testing.T) {
	g := merge(t, []Sample{{Stack: []string{"a"}, Value: 2}, {Value: 3}})
	if diff := cmp.Diff("all 5 own 3\n  a 2 own 2\n", outline(g)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNewTotalTooLarge(t *testing.T) {
	samples := []Sample{{Stack: []string{"a"}, Value: 1 << 63}, {Stack: []string{"b"}, Value: 1 << 63}}
	g, err := New(slices.Values(samples))
	if g != nil || err == nil || err.Error() != "sample 2: total exceeds 18446744073709551615" {
		t.Errorf("graph %v, error %v", g, err)
	}
}

func TestNewOrderDoesNotMatter(t *testing.T) {
	samples := parse(t, profile{stacks: 300, names: 50, depth: 8, fresh: 2, nameLen: 6}.folded())
	want := outline(merge(t, samples))
	r := rand.New(rand.NewPCG(3, 4))
	for range 5 {
		r.Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
		if diff := cmp.Diff(want, outline(merge(t, samples))); diff != "" {
			t.Fatalf("(-sorted +shuffled):\n%s", diff)
		}
	}
}
