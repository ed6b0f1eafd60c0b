// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A box is one of a picture's, as its reader is told of it.
type box struct {
	Path   string // of the frame, as in models
	Class  string
	Name   string
	Amount string // with its unit
	Share  string
	Change string
	Level  int // 1 for the root
	X, Y   float64
	Width  float64
	Tab    bool // the Tab key leads there
}

// run tells whether a box stands for several frames.
func (b box) run() bool { return strings.Contains(" "+b.Class+" ", " more ") }

// rawBox is a box as the page has it.
type rawBox struct {
	Class, Label    string
	Level, Tabindex int
	X, Y, Width     float64
}

// labeled takes the name of a box, what it stands for, and how that changed.
var labeled = regexp.MustCompile(`(?s)^(.*), (≈?[\d,.]+(?: \S+)?), ([<>]?[\d.]+%)(?:, (.* .*))?$`)

// boxes returns the boxes that the script drew, in the order of the page.
func (t *tab) boxes() []box {
	t.Helper()
	raw := eval[[]rawBox](t, `[...document.querySelectorAll('.frames [role=treeitem]')].map((e) => ({
		class: e.getAttribute('class'), label: e.getAttribute('aria-label'),
		level: Number(e.getAttribute('aria-level')), tabindex: Number(e.getAttribute('tabindex')),
		x: Number(e.getAttribute('x')), y: Number(e.getAttribute('y')), width: Number(e.getAttribute('width')),
	}))`)
	var all []box
	var path []string
	for _, r := range raw {
		m := labeled.FindStringSubmatch(r.Label)
		if m == nil || r.Level < 1 || r.Level > len(path)+1 {
			t.Fatalf("box %+v below %s", r, path)
		}
		path = append(path[:r.Level-1], m[1])
		all = append(all, box{
			Path: strings.Join(path[1:], ";"), Class: r.Class, Name: m[1], Amount: m[2], Share: m[3], Change: m[4],
			Level: r.Level, X: r.X, Y: r.Y, Width: r.Width, Tab: r.Tabindex == 0,
		})
	}
	return all
}

// box returns the box of a frame.
func (t *tab) box(path string) box {
	t.Helper()
	for _, b := range t.boxes() {
		if b.Path == path {
			return b
		}
	}
	t.Fatalf("no box of %q", path)
	return box{}
}

// placesOf returns where frames are, without runs of them.
func placesOf(boxes []box) map[string]place {
	all := make(map[string]place)
	for _, b := range boxes {
		if !b.run() {
			all[b.Path] = place{b.X, b.Width}
		}
	}
	return all
}

// close lets lengths differ by what they are rounded to.
var close = cmpopts.EquateApprox(0, 0.02)

// checkPlaces compares the frames drawn with those of a model, zoomed to at.
func (t *tab) checkPlaces(m model, column int, at string) {
	t.Helper()
	if diff := cmp.Diff(m.places(column, at), placesOf(t.boxes()), close); diff != "" {
		t.Errorf("frames (-want +got):\n%s", diff)
	}
}

func TestLabeled(t *testing.T) {
	for label, want := range map[string][]string{
		"a, b, 12, 3.00%":          {"a, b", "12", "3.00%", ""},
		"all, 1,234 packets, 100%": {"all", "1,234 packets", "100%", ""},
		"x, 5.50 packets/s, 7.58%, before 3.00, after 2.50 packets/s, -16.7%": {
			"x", "5.50 packets/s", "7.58%", "before 3.00, after 2.50 packets/s, -16.7%"},
	} {
		if diff := cmp.Diff(want, labeled.FindStringSubmatch(label)[1:]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", label, diff)
		}
	}
}
