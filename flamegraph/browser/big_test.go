// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"regexp"
	"testing"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// bigStacks is how many unique stacks a picture has to bear.
const bigStacks = 100_000

// openBig shows the big picture and returns what the browser took to open it,
// in milliseconds.
func openBig(tb testing.TB, content []byte) (t *tab, ms float64) {
	tb.Helper()
	t = open(tb, save(tb, "big.svg", content))
	return t, eval[float64](t, `performance.getEntriesByType('navigation')[0].loadEventEnd`)
}

// took does something to the page and returns how long that takes in
// milliseconds: until all is laid out anew, and until it is on the screen.
func (t *tab) took(action string) (laidOut, painted float64) {
	t.Helper()
	times := eval[[2]float64](t, `new Promise((done) => {
		const from = performance.now();
		`+action+`;
		document.querySelector('.frames').getBoundingClientRect();
		const laidOut = performance.now() - from;
		requestAnimationFrame(() => setTimeout(() => done([laidOut, performance.now() - from])));
	})`)
	return times[0], times[1]
}

// What readers do to the big picture.
const (
	zoomBig = `[...document.querySelectorAll('.frames [role=treeitem]:not(.more)')].filter((e) => e.getAttribute('aria-level') === '3')
		.sort((a, b) => b.getAttribute('width') - a.getAttribute('width'))[0].dispatchEvent(new MouseEvent('click', { bubbles: true }))`
	unzoomBig = `document.querySelector('.bar > button').click()`
	searchBig = `(() => {
		const input = document.querySelector('.bar input');
		input.value = 'kernel_1';
		input.dispatchEvent(new Event('input'));
	})()`
	clearBig = `(() => {
		const input = document.querySelector('.bar input');
		input.value = '';
		input.dispatchEvent(new Event('input'));
	})()`
)

var bigOptions = flamegraph.Options{Title: "Big", Measures: []flamegraph.Measure{{Unit: "packets"}}}

// TestBig sees that a big picture works, and tells how fast.
func TestBig(t *testing.T) {
	samples := generate(bigStacks, 20_000)
	content := svg(t, samples, bigOptions)
	tab, opened := openBig(t, content)
	whole := tab.boxes()
	t.Logf("%d bytes, %s boxes: open %.0f ms", len(content), count(uint64(len(whole))), opened)
	if n := len(whole); n < 1000 || n > 12_000 {
		t.Errorf("%d boxes", n)
	}
	report := func(name, action string) {
		laidOut, painted := tab.took(action)
		t.Logf("%s to %d boxes %.0f ms, painted after %.0f ms", name, eval[int](tab, `document.querySelectorAll('[role=treeitem]').length`), laidOut, painted)
	}
	report("zoom", zoomBig)
	zoomed := tab.boxes()
	if zoomed[2].Level != 3 || zoomed[2].Width != pixels-1 || zoomed[1].Width != pixels-1 {
		t.Errorf("zoomed to %+v", zoomed[:3])
	}
	if at := zoomed[2].Amount; at != amount(sumBelow(samples, zoomed[2].Path), bigOptions.Measures[0]) {
		t.Errorf("zoomed to %s", at)
	}
	report("unzoom", unzoomBig)
	if got := tab.boxes(); len(got) != len(whole) || got[100] != whole[100] {
		t.Errorf("%d boxes after the zoom, %d before", len(got), len(whole))
	}
	report("search", searchBig)
	if got, want := tab.text(".status"), searched(samples, regexp.MustCompile("kernel_1")); !regexp.MustCompile("^" + want + `( matched · [\d,]+ frames, [\d,]+ too narrow to see)$`).MatchString(got) {
		t.Errorf("it says %q, want %s", got, want)
	}
	report("search while zoomed", zoomBig)
	report("clear the search", clearBig)
}

// sumBelow returns the value of a frame.
func sumBelow(samples []flamegraph.Sample, path string) (sum uint64) {
	m := newModel(samples)
	for i, stack := range m.stacks {
		if holds(path, stack) {
			sum += m.values[i][0]
		}
	}
	return sum
}

// searched returns the share of the stacks that hold a match.
func searched(samples []flamegraph.Sample, pattern *regexp.Regexp) string {
	var all, sum uint64
	for _, s := range samples {
		all += s.Value
		for _, frame := range s.Stack {
			if pattern.MatchString(frame) {
				sum += s.Value
				break
			}
		}
	}
	return share(sum, all)
}

// BenchmarkBig measures the same, in milliseconds.
func BenchmarkBig(b *testing.B) {
	content := svg(b, generate(bigStacks, 20_000), bigOptions)
	sums := make(map[string]float64)
	for b.Loop() {
		tab, opened := openBig(b, content)
		sums["open-ms"] += opened
		for _, step := range []struct{ name, action string }{
			{"zoom-ms", zoomBig}, {"unzoom-ms", unzoomBig}, {"search-ms", searchBig},
		} {
			laidOut, _ := tab.took(step.action)
			sums[step.name] += laidOut
		}
	}
	for name, sum := range sums {
		b.ReportMetric(sum/float64(b.N), name)
	}
}
