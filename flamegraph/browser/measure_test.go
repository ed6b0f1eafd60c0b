// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// checkLabels compares what boxes are called with what a model says.
func (t *tab) checkLabels(m model, column int) {
	t.Helper()
	got, want := make(map[string]string), make(map[string]string)
	for _, b := range t.boxes() {
		if !b.run() {
			got[b.Path] = strings.Join([]string{b.Name, b.Amount, b.Share}, ", ")
			want[b.Path] = m.label(b.Path, column, options().Measures[column])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

// pressed returns which buttons of the switch are pressed.
func (t *tab) pressed() []string {
	t.Helper()
	return eval[[]string](t, `[...document.querySelectorAll('.switch [aria-pressed=true]')].map((e) => e.textContent)`)
}

func TestSwitch(t *testing.T) {
	m := newModel(drops())
	for first := range options().Measures {
		o := options()
		o.Measure = first
		tab := openSVG(t, drops(), o)
		for _, column := range []int{first, byBytes, byRate, byPackets, byBytes} {
			name := o.Measures[column].Name
			tab.clickOn(".switch button", name)
			if diff := cmp.Diff([]string{name}, tab.pressed()); diff != "" {
				t.Errorf("pressed (-want +got):\n%s", diff)
			}
			tab.checkPlaces(m, column, "")
			tab.checkLabels(m, column)
			if diff := cmp.Diff(m.legend(column), tab.legend()); diff != "" {
				t.Errorf("legend by %s (-want +got):\n%s", name, diff)
			}
		}
	}
}

// TestSwitchHidesFrames sees that frames without value are not drawn, in no
// other way either.
func TestSwitchHidesFrames(t *testing.T) {
	tab := openSVG(t, drops(), options())
	roots := func() (list []string) {
		for _, b := range tab.boxes() {
			if b.Level == 2 {
				list = append(list, b.Name)
			}
		}
		return list
	}
	for _, step := range []struct {
		measure string
		want    []string
	}{
		{"packets", []string{"[process: envoy]", "[softirq]"}},
		{"bytes", []string{"[process: tun]", "[softirq]"}},
		{"rate", []string{"[process: envoy]", "[softirq]"}},
	} {
		tab.clickOn(".switch button", step.measure)
		if diff := cmp.Diff(step.want, roots()); diff != "" {
			t.Errorf("by %s (-want +got):\n%s", step.measure, diff)
		}
	}
}

func TestSwitchKeepsSearchAndZoom(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	tab.click(ipRcv)
	for _, tt := range patterns {
		pattern := regexp.MustCompile("(?i)" + tt.pattern)
		tab.search(tt.pattern)
		for _, column := range []int{byBytes, byRate, byPackets} {
			name := options().Measures[column].Name
			tab.clickOn(".switch button", name)
			tab.checkPlaces(m, column, ipRcv)
			if got, want := tab.text(".status"), m.verdict(pattern, column, ipRcv); got != want {
				t.Errorf("%s by %s: it says %q, want %q", tt.name, name, got, want)
			}
		}
		eval[any](tab, `document.querySelector('.bar input').focus()`)
		tab.press(kb.Escape)
	}
}

// TestSwitchLeavesVanishedFrame shows what is left of the way to a frame that
// the other measure has not.
func TestSwitchLeavesVanishedFrame(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	tab.click("[process: envoy];__sys_sendto")
	tab.clickOn(".switch button", "bytes")
	tab.checkPlaces(m, byBytes, "")
	tab.wait(`location.hash === ''`)
	tab.clickOn(".switch button", "packets")
	tab.checkPlaces(m, byPackets, "")
}

// TestSwitchEndsLegend drops what the legend marked, as it has other entries.
func TestSwitchEndsLegend(t *testing.T) {
	tab := openSVG(t, drops(), options())
	tab.clickAt(legendKey(0))
	tab.clickOn(".switch button", "bytes")
	if n := eval[int](tab, `document.querySelectorAll('.key[aria-pressed=true], .hit').length`); n != 0 || tab.text(".status") != "" {
		t.Errorf("%d elements are marked, and it says %q", n, tab.text(".status"))
	}
}

// TestNoSwitch has no switch for a single measure, and none to one that is
// nothing but zeros.
func TestNoSwitch(t *testing.T) {
	one := options()
	one.Measures = one.Measures[:1]
	if tab := openSVG(t, drops(), one); eval[bool](tab, `document.querySelector('.switch') !== null`) {
		t.Error("there is a switch")
	}
	samples := drops()
	for i := range samples {
		samples[i].More[byRate-1] = 0
	}
	tab := openSVG(t, samples, options())
	disabled := eval[[]string](tab, `[...document.querySelectorAll('.switch :disabled')].map((e) => e.textContent)`)
	if diff := cmp.Diff([]string{"rate"}, disabled); diff != "" {
		t.Errorf("disabled (-want +got):\n%s", diff)
	}
}
