// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWithoutScript reads all that is to be read without the script.
func TestWithoutScript(t *testing.T) {
	m := newModel(drops())
	for name, url := range map[string]string{
		"SVG":  save(t, "a.svg", svg(t, drops(), options())),
		"HTML": save(t, "a.html", html(t, drops(), options())),
	} {
		t.Run(name, func(t *testing.T) {
			tab := newStatic(t)
			tab.visit(url)
			s := tab.static()
			var want, got []string
			for path, place := range m.places(byPackets, "") {
				if place.Width >= 4 { // narrower ones cannot be pointed at
					want = append(want, m.label(path, byPackets, options().Measures[0]))
				}
			}
			for _, b := range s.Boxes {
				if b.Words != "" && b.Class != "more" {
					got = append(got, strings.ReplaceAll(b.Words, "\n", ", "))
				}
			}
			slices.Sort(want)
			slices.Sort(got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tooltips (-want +got):\n%s", diff)
			}
			for _, label := range []string{"all", "[softirq]", "CPU_BACKLOG", "NO_SOCKET", "[pr…"} {
				if !slices.ContainsFunc(values(s.Labels), func(l string) bool { return l == label }) {
					t.Errorf("no label %q among %q", label, values(s.Labels))
				}
			}
			if diff := cmp.Diff(m.legend(byPackets), eval[[]string](tab, `[...document.querySelectorAll('.legend .key')].map((e) => e.textContent)`)); diff != "" {
				t.Errorf("legend (-want +got):\n%s", diff)
			}
			o := options()
			if diff := cmp.Diff([]string{o.Title, o.Subtitle, o.Notes[0]}, s.Lines); diff != "" {
				t.Errorf("texts (-want +got):\n%s", diff)
			}
			if title := eval[string](tab, `document.title`); title != o.Title {
				t.Errorf("the page is called %q", title)
			}
		})
	}
}

func values(m map[string]string) (list []string) {
	for _, v := range m {
		list = append(list, v)
	}
	return list
}

// TestWithoutScriptFits sees that a picture shrinks with its window and never
// grows.
func TestWithoutScriptFits(t *testing.T) {
	tab := newStatic(t)
	tab.visit(save(t, "a.svg", svg(t, drops(), options())))
	for width, want := range map[int64][]float64{
		1200: {12, 1175}, 600: {6, 1175. / 2}, 1500: {150 + 12, 1175},
	} {
		tab.resize(width, windowHeight)
		got := eval[[]float64](tab, `(() => {
			const at = document.querySelector('.frames rect').getBoundingClientRect();
			return [at.x, at.width];
		})()`)
		if diff := cmp.Diff(want, got, close); diff != "" {
			t.Errorf("the root at %d pixels (-want +got):\n%s", width, diff)
		}
	}
}
