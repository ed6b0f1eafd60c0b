// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// hostile are texts that would do something wherever they are taken for more
// than text, and what is shown of them.
var hostile = []struct{ text, shown string }{
	{`<script>hacked(1)</script>`, ``},
	{`</text></g></svg><script>hacked(2)</script>`, ``},
	{`</title><script>hacked(3)</script>`, ``},
	{`]]><script>hacked(4)</script>`, ``},
	{`</metadata></style></head><script>hacked(5)</script>`, ``},
	{`--><script>hacked(6)</script><!--`, ``},
	{`"><img src=x onerror="hacked(7)">`, ``},
	{`' onfocus='hacked(8)' onclick='hacked(8)`, ``},
	{`javascript:hacked(9)`, ``},
	{`<![CDATA[<script>hacked(10)</script>`, ``},
	{`&lt;script&gt;hacked(11)&lt;/script&gt;`, ``},
	{`<foreignObject><iframe srcdoc="<script>parent.hacked(12)</script>"/></foreignObject>`, ``},
	{"\x1b[31m<b>\x00\x7f", `\x1b[31m<b>\x00\x7f`},
	{"line\nbreak\rand\ttab", `line\x0abreak\x0dand\x09tab`},
	{"\u202ereversed\u2066", `\u{202e}reversed\u{2066}`},
	{"no\xffletter\xc3", `no\xffletter\xc3`},
	{`__proto__`, ``}, {`constructor`, ``},
	{`${hacked(13)}`, ``},
}

// shownOf returns what is shown of a text.
func shownOf(i int) string {
	if hostile[i].shown != "" {
		return hostile[i].shown
	}
	return hostile[i].text
}

// hostilePicture has hostile texts wherever texts go.
func hostilePicture() ([]flamegraph.Sample, flamegraph.Options) {
	var all strings.Builder
	o := flamegraph.Options{Muted: func(_, _ string) bool { return true }}
	var samples []flamegraph.Sample
	for i, h := range hostile {
		all.WriteString(h.text)
		samples = append(samples, flamegraph.Sample{Stack: []string{h.text, fmt.Sprint("leaf ", i)}, Value: 10, More: []uint64{5}})
		o.Notes = append(o.Notes, h.text)
		o.Categories = append(o.Categories, flamegraph.Category{Name: h.text, Color: flamegraph.Color(i % 12)})
		change := &flamegraph.Change{To: 1, FromName: h.text, ToName: h.text}
		o.Measures = append(o.Measures, flamegraph.Measure{Name: h.text, Unit: h.text}, flamegraph.Measure{Name: h.text, Unit: h.text, Change: change})
	}
	o.Title, o.Subtitle = all.String(), all.String()
	o.CategoryOf = func(frame, _ string) string { return frame }
	o.Explain = func(frame, _ string) []flamegraph.Fact {
		return []flamegraph.Fact{{Term: frame, Text: frame}, {Term: frame}}
	}
	return samples, o
}

// useAll tries all that there is to each frame of the hostile picture: both
// ways to draw it, the tip, the explanation, which it returns.
const useAll = `(() => {
	const all = (selector) => [...document.querySelectorAll(selector)];
	const buttons = all('.switch button');
	return all('[aria-label^="leaf "]').map((_, i) => {
		buttons[2 * i + 1].click();
		all('[aria-level="2"]')[i].dispatchEvent(new PointerEvent('pointermove', { bubbles: true }));
		buttons[2 * i].click();
		all('[aria-label^="leaf ' + i + ',"]')[0].dispatchEvent(new MouseEvent('click', { bubbles: true }));
		const words = all('.about :is(h2, dd)').map((e) => e.textContent);
		all('.bar > button')[0].click();
		return words;
	});
})()`

// TestHostile works with hostile texts, without any content policy that would
// hide a mistake. Tabs fail on dialogs and errors by themselves.
func TestHostile(t *testing.T) {
	samples, o := hostilePicture()
	picture, page := svg(t, samples, o), html(t, samples, o)
	_, after, _ := strings.Cut(string(page), `<meta http-equiv="Content-Security-Policy"`)
	_, after, _ = strings.Cut(after, ">")
	for name, url := range map[string]string{
		"SVG":                save(t, "a.svg", picture),
		"HTML":               save(t, "a.html", []byte(`<!DOCTYPE html><html lang="en" class="flamegraph-page"><head><meta charset="utf-8">`+after)),
		"XHTML":              save(t, "a.xhtml", []byte(`<html xmlns="http://www.w3.org/1999/xhtml" lang="en" class="flamegraph-page"><head>`+after)),
		"in somebody's page": save(t, "b.html", inline(picture)),
	} {
		t.Run(name, func(t *testing.T) {
			tab := newTab(t)
			tab.early(`window.hacks = []; window.hacked = (n) => window.hacks.push(n)`)
			tab.visit(url)
			var explained [][]string
			for i := range hostile {
				explained = append(explained, []string{fmt.Sprint("leaf ", i), fmt.Sprint("leaf ", i), shownOf(i)})
			}
			if diff := cmp.Diff(explained, eval[[][]string](tab, useAll)); diff != "" {
				t.Errorf("explanations (-want +got):\n%s", diff)
			}
			if hacks := eval[[]int](tab, `window.hacks`); len(hacks) > 0 {
				t.Errorf("scripts ran: %d", hacks)
			}
			if strange := eval[[]string](tab, `[...document.querySelectorAll('img, iframe, b, script ~ script, [onerror], [onfocus], [onclick]')].map((e) => e.outerHTML)`); len(strange) > 0 {
				t.Errorf("there are elements %q", strange)
			}
			var want []string
			for i := range hostile {
				want = append(want, shownOf(i))
			}
			slices.Sort(want)
			names := eval[[]string](tab, `document.querySelector('metadata.names').textContent.split('\n').filter((n) => !n.startsWith('leaf '))`)
			slices.Sort(names)
			if diff := cmp.Diff(want, names); diff != "" {
				t.Errorf("names (-want +got):\n%s", diff)
			}
			labels := eval[[]string](tab, `[...document.querySelectorAll('[aria-level="2"]')].map((e) => e.getAttribute('aria-label'))`)
			for i, label := range labels {
				if !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(label, w+", 10 ") }) {
					t.Errorf("frame %d is called %q", i, label)
				}
			}
			measures := eval[[]string](tab, `[...document.querySelectorAll('.switch button')].map((e) => e.textContent)`)
			for i, m := range measures {
				if m != shownOf(i/2) {
					t.Errorf("measure %d is called %q", i, m)
				}
			}
		})
	}
}
