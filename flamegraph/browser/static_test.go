// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// A drawn box is what the file's own boxes and those of the script have in
// common. Coordinates are those of the window.
type drawn struct {
	Class       string
	X, Y, Width float64
	Words       string // of the tooltip, none for the narrowest
}

// A sheet is all that is to be seen.
type sheet struct {
	Boxes  []drawn
	Labels map[string]string // by where they begin
	Keys   []string          // of the legend, with their places
	Lines  []string          // of title, subtitle and notes
	Height float64
}

// sheet returns what is to be seen, with boxes by the expression given.
func (t *tab) sheet(boxes string) sheet {
	t.Helper()
	return eval[sheet](t, `(() => {
		const all = (selector) => [...document.querySelectorAll(selector)];
		const words = (e) => e.textContent.trim();
		const at = (e) => {
			const at = e.getBoundingClientRect();
			return { x: at.x, y: at.y, width: at.width };
		};
		const round = (n) => Math.round(n * 10) / 10;
		const labels = all('.frames text').map((e) => [round(at(e).x) + ' ' + round(at(e).y), words(e)]);
		return {
			boxes: `+boxes+`,
			labels: Object.fromEntries(labels),
			keys: all('.legend .key').map((e) => words(e) + ' ' + e.firstElementChild.getAttribute('class') + ' at ' + round(at(e).y)),
			lines: ['.title', '.subtitle', '.notes'].map((s) => all('svg > ' + s).map(words).join(' ')),
			height: Number(document.querySelector('svg').getAttribute('height')),
		};
	})()`)
}

// static returns what the file itself shows.
func (t *tab) static() sheet {
	t.Helper()
	return t.sheet(`all('.frames > g > rect').map((e) => ({ ...at(e), class: e.getAttribute('class'), words: words(e) }))`)
}

// scripted returns what the script shows.
func (t *tab) scripted() sheet {
	t.Helper()
	return t.sheet(`all('.frames [role=treeitem]').map((e) => ({ ...at(e), class: e.getAttribute('class'), words: e.getAttribute('aria-label') }))`)
}

// newStatic opens an empty tab that runs no scripts.
func newStatic(tb testing.TB) *tab {
	tb.Helper()
	t := newTab(tb)
	call(t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return t
}

// ties are stacks whose shares and changes lie in the middle between two that
// can be written.
func ties() []flamegraph.Sample {
	var all []flamegraph.Sample
	for i := range uint64(16) {
		all = append(all, flamegraph.Sample{
			Stack: []string{"half", fmt.Sprintf("part %d", i)}, Value: 100 + i%2*3100, More: []uint64{800, 801 + 3*i},
		})
	}
	return all
}

// TestStatic sees that the file is right without its script, which draws the
// same once it runs.
func TestStatic(t *testing.T) {
	icicle, broad, second := options(), options(), options()
	icicle.Icicle, broad.MinShare, second.Measure = true, 0.05, byBytes
	after := comparison()
	after.Measure = byAfter
	tests := []struct {
		name    string
		samples []flamegraph.Sample
		options flamegraph.Options
		loose   bool    // labels hold more or less, as only browsers know the width of letters
		lower   float64 // what the script's tools need where there is no title
	}{
		{"flame", drops(), options(), false, 0},
		{"icicle", drops(), icicle, false, 0},
		{"minimum share", drops(), broad, false, 0},
		{"bytes", drops(), second, false, 0},
		{"shades", drops(), flamegraph.Options{Title: "Shades"}, false, 0},
		{"change", steps(), comparison(), false, 0},
		{"after a change", steps(), after, false, 0},
		{"ties", ties(), comparison(), false, 0},
		{"no title", drops(), flamegraph.Options{Subtitle: "subtitle", Notes: []string{"one", "two"}}, true, 26},
		{"more boxes than are drawn", generate(12_000, 500), flamegraph.Options{Title: "Many"}, true, 0},
	}
	without, with := newStatic(t), newTab(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			url := save(t, "a.svg", svg(t, tt.samples, tt.options))
			without.TB, with.TB = t, t
			without.visit(url)
			with.visit(url)
			static, scripted := without.static(), with.scripted()
			words := strings.NewReplacer("\n", ", ")
			byPlace := make(map[string]drawn)
			for _, b := range static.Boxes {
				b.Y += tt.lower
				byPlace[fmt.Sprintf("%.1f %.1f", b.X, b.Y)] = b
			}
			for i, b := range scripted.Boxes {
				s, ok := byPlace[fmt.Sprintf("%.1f %.1f", b.X, b.Y)]
				if s.Words = words.Replace(s.Words); s.Words == "" && b.Width < 4 {
					s.Words = b.Words
				}
				if diff := cmp.Diff(s, b, close); !ok || diff != "" {
					t.Fatalf("box %d (-static +scripted):\n%s", i, diff)
				}
			}
			if len(static.Boxes) != len(scripted.Boxes) || len(static.Boxes) == 0 {
				t.Errorf("%d static boxes, %d scripted", len(static.Boxes), len(scripted.Boxes))
			}
			static.Boxes, scripted.Boxes = nil, nil
			if dropCut(static.Labels, scripted.Labels); tt.loose {
				static.Labels, scripted.Labels = nil, nil
			}
			static.Height += tt.lower
			if diff := cmp.Diff(static, scripted, close); diff != "" {
				t.Errorf("(-static +scripted):\n%s", diff)
			}
		})
	}
}

// dropCut drops labels that are cut in the one and in the other: how wide
// letters are is only known to a browser.
func dropCut(one, other map[string]string) {
	for at := range one {
		if strings.HasSuffix(one[at]+other[at], "…") {
			delete(one, at)
			delete(other, at)
		}
	}
}
