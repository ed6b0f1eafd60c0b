// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// A part is something that has its place in the picture.
type part struct {
	Of, Words                string
	Left, Top, Right, Bottom float64
}

const readParts = `Object.entries({
	title: 'svg > .title', subtitle: 'svg > .subtitle tspan', tools: '.bar > *, .switch > *', legend: '.key',
	panel: '.about section', frames: '[role=tree]', notes: 'svg > .notes tspan',
}).flatMap(([of, selector]) => [...document.querySelectorAll(selector)].map((e) => {
	const at = e.getBoundingClientRect();
	return { of, words: e.placeholder || e.textContent, left: at.left, top: at.top, right: at.right, bottom: at.bottom };
})).filter((p) => p.words && p.bottom > p.top)`

// TestLayout sees that all parts are within the window and none over another,
// at any width.
func TestLayout(t *testing.T) {
	full := options()
	full.Title = strings.Repeat("A title that is much too long ", 8)
	full.Subtitle = strings.Repeat("2026-11-20 10:00:00 on node7, 10m0s, Linux 6.12. ", 6)
	full.Notes = append(full.Notes, full.Subtitle, strings.Repeat("x", 300))
	full.Categories = append(full.Categories, flamegraph.Category{Name: "a category with a long name", Color: flamegraph.Red})
	full.CategoryOf = func(frame, _ string) string {
		if l := layerOf(frame, ""); l != "" {
			return l
		}
		return "a category with a long name"
	}
	bare := flamegraph.Options{}
	icicle := full
	icicle.Icicle = true
	for _, tt := range []struct {
		name    string
		options flamegraph.Options
	}{{"typical", options()}, {"full", full}, {"bare", bare}, {"icicle", icicle}} {
		tab := openSVG(t, drops(), tt.options)
		tab.search("ip_rcv|backlog|tcp")
		for _, width := range []int64{320, 390, 520, 768, 900, 1000, 1100, 1280, 1920} {
			tab.resize(width, windowHeight)
			tab.wait(fmt.Sprintf(`document.querySelector('[role=treeitem]').getAttribute('width') == %d`, width-25))
			for _, at := range []string{"", backlog} {
				tab.zoomTo(at)
				for _, fault := range faults(eval[[]part](tab, readParts), float64(width)) {
					t.Errorf("%s, %d wide, zoomed to %q: %s", tt.name, width, leaf(at), fault)
				}
			}
		}
	}
}

// zoomTo opens a frame by a link, as it may be too narrow to click.
func (t *tab) zoomTo(path string) {
	t.Helper()
	eval[any](t, `new Promise((done) => {
		const hash = `+quoted(path)+`.split(';').map(encodeURIComponent).join(';');
		if (location.hash.slice(1) === hash) return done();
		addEventListener('hashchange', () => done(), { once: true });
		location.hash = hash;
	})`)
}

// faults tells of parts that are cut or in the way of others.
func faults(parts []part, width float64) (list []string) {
	const margin, close = 12, 0.5
	for i, p := range parts {
		if p.Left < margin-close || p.Right > width-margin+close {
			list = append(list, fmt.Sprintf("%s %.40q is from %.1f to %.1f", p.Of, p.Words, p.Left, p.Right))
		}
		if p.Of == "tools" && p.Right-p.Left < 40 {
			list = append(list, fmt.Sprintf("%s %.40q is only %.1f wide", p.Of, p.Words, p.Right-p.Left))
		}
		for _, other := range parts[:i] {
			apart := p.Left >= other.Right-close || other.Left >= p.Right-close || p.Top >= other.Bottom-close || other.Top >= p.Bottom-close
			if !apart && (p.Of != other.Of || p.Of == "legend") {
				list = append(list, fmt.Sprintf("%s %.40q and %s %.40q are in one place", p.Of, p.Words, other.Of, other.Words))
			}
		}
	}
	return list
}
