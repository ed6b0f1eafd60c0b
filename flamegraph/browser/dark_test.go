// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// dark makes pages light or dark.
func (t *tab) dark(on bool) {
	t.Helper()
	scheme := map[bool]string{false: "light", true: "dark"}[on]
	call(t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
	})
	t.wait(`matchMedia('(prefers-color-scheme: ` + scheme + `)').matches`)
}

// colorful are stacks with frames of every color, some of them muted.
func colorful() ([]flamegraph.Sample, flamegraph.Options) {
	o := options()
	o.Categories = nil
	samples := []flamegraph.Sample{{Stack: []string{"CPU_BACKLOG"}, Value: 30, More: []uint64{30, 0}}}
	for c := range flamegraph.Color(12) {
		name := fmt.Sprintf("color%d", c)
		o.Categories = append(o.Categories, flamegraph.Category{Name: name, Color: c})
		samples = append(samples, flamegraph.Sample{Stack: []string{name, name + "m", name}, Value: 30, More: []uint64{30, 30}})
		samples = append(samples, flamegraph.Sample{Stack: []string{name, name + "tiny"}, Value: 1, More: []uint64{1, 1}})
	}
	o.CategoryOf = func(frame, _ string) string { return strings.TrimSuffix(frame, "m") }
	o.Muted = func(frame, _ string) bool { return strings.HasSuffix(frame, "m") }
	return samples, o
}

func TestContrast(t *testing.T) {
	for _, dark := range []bool{false, true} {
		t.Run(fmt.Sprintf("dark=%v", dark), func(t *testing.T) {
			samples, o := colorful()
			tab := openSVG(t, samples, o)
			tab.dark(dark)
			if n := tab.checkContrast("plain"); n < 60 {
				t.Errorf("only %d texts were seen", n)
			}
			tab.clickAt(legendKey(3))
			tab.checkContrast("a legend's entry pressed")
			tab.search("color1")
			tab.checkContrast("searched")
			tab.press("(")
			tab.checkContrast("an invalid search")
			tab.press(kb.Escape)
			tab.click("CPU_BACKLOG")
			tab.hover("CPU_BACKLOG")
			tab.checkContrast("zoomed, explained, with the tip")
			if !tab.panel().Shown || !eval[bool](tab, `document.querySelector('.tip').getAttribute('visibility') === 'visible'`) {
				t.Error("the panel or the tip is not shown")
			}
			tab.search("BACKLOG")
			tab.checkContrast("zoomed and searched")

			tab.press(kb.Escape)
			tab.press(kb.Escape)
			tab.click("color3;color3m;color3")
			tab.checkContrast("within a muted frame")

			tab = openSVG(t, steps(), comparison())
			tab.dark(dark)
			tab.checkContrast("change")
			tab.search("ip_")
			tab.checkContrast("change searched")
			tab.press(kb.Escape)
			tab.click("[softirq];ip_rcv")
			tab.checkContrast("change zoomed")

			shades := drops()
			for i := range 16 {
				shades = append(shades, flamegraph.Sample{Stack: []string{fmt.Sprint("shade", i)}, Value: 150_000, More: []uint64{1, 1}})
			}
			tab = openSVG(t, shades, flamegraph.Options{Title: "Shades"})
			tab.dark(dark)
			tab.checkContrast("shades")
		})
	}
}

// TestDark sees that the picture is dark where pages are.
func TestDark(t *testing.T) {
	looks := `['svg', '.root', '.title', '.bar input'].map((s) => {
		const style = getComputedStyle(document.querySelector(s));
		return s === '.root' || s === '.title' ? style.fill : style.backgroundColor;
	})`
	for name, url := range map[string]string{
		"SVG":  save(t, "a.svg", svg(t, drops(), options())),
		"HTML": save(t, "a.html", html(t, drops(), options())),
	} {
		t.Run(name, func(t *testing.T) {
			tab := open(t, url)
			tab.dark(false)
			light := eval[[]string](tab, looks)
			tab.dark(true)
			dark := eval[[]string](tab, looks)
			want := []string{"rgb(255, 255, 255)", "rgb(205, 210, 217)", "rgb(28, 31, 36)", "rgb(255, 255, 255)"}
			if diff := cmp.Diff(want, light); diff != "" {
				t.Errorf("light (-want +got):\n%s", diff)
			}
			want = []string{"rgb(22, 25, 30)", "rgb(154, 161, 171)", "rgb(230, 232, 235)", "rgb(32, 36, 42)"}
			if diff := cmp.Diff(want, dark); diff != "" {
				t.Errorf("dark (-want +got):\n%s", diff)
			}
			if body := eval[string](tab, `getComputedStyle(document.body ?? document.documentElement).backgroundColor`); body != dark[0] {
				t.Errorf("the page is %s", body)
			}
		})
	}
}
