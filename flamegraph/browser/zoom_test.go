// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// Paths of drops.
const (
	gro     = "[softirq];mlx5e_napi_poll;napi_gro_receive"
	ipRcv   = gro + ";ip_rcv"
	nfHook  = ipRcv + ";nf_hook_slow"
	backlog = gro + ";enqueue_to_backlog;CPU_BACKLOG"
)

func TestZoom(t *testing.T) {
	m := newModel(drops())
	ways := []struct {
		name       string
		zoom, back func(t *tab)
	}{
		{"click and button", func(t *tab) { t.click(ipRcv) }, func(t *tab) { t.clickOn("button", "Reset zoom") }},
		{"click and click on the root", func(t *tab) { t.click(ipRcv) }, func(t *tab) { t.click("") }},
		{"Enter and Escape", func(t *tab) { t.focus(ipRcv); t.press(kb.Enter) }, func(t *tab) { t.press(kb.Escape) }},
		{"Space and Enter on the root", func(t *tab) { t.focus(ipRcv); t.press(" ") }, func(t *tab) { t.focus(""); t.press(kb.Enter) }},
		{"click and button by Enter", func(t *tab) { t.click(ipRcv) }, func(t *tab) {
			eval[any](t, `document.querySelector('.bar > button').focus()`)
			t.press(kb.Enter)
		}},
	}
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			tab := openSVG(t, drops(), options())
			tab.checkPlaces(m, byPackets, "")
			way.zoom(tab)
			tab.checkPlaces(m, byPackets, ipRcv)
			for _, b := range tab.boxes() {
				above := strings.HasSuffix(b.Class, " above")
				if want := b.Path != ipRcv && holds(b.Path, ipRcv); above != want {
					t.Errorf("%q has class %s", b.Path, b.Class)
				}
				if (above || b.Path == ipRcv) && (b.X != 0 || b.Width != pixels-1) {
					t.Errorf("%q is at %v, %v wide, not over the full width", b.Path, b.X, b.Width)
				}
			}
			way.back(tab)
			tab.checkPlaces(m, byPackets, "")
			if !eval[bool](tab, `document.querySelector('.bar > button').disabled`) {
				t.Error("the button to reset is enabled")
			}
		})
	}
}

// TestZoomBringsFramesBack opens a run of narrow frames, and what they are in.
func TestZoomBringsFramesBack(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	run := nfHook + ";40 frames too narrow or deep to draw"
	if b := tab.box(run); b.Amount != "40,000 packets" || b.Class != "more" {
		t.Errorf("the run is %+v", b)
	}
	tab.click(run)
	rule := nfHook + ";nft_rule_07"
	if b := tab.box(rule); b.Amount != "1,000 packets" {
		t.Errorf("in the run there is %+v", b)
	}
	tab.press(kb.Escape)
	tab.click(nfHook)
	tab.checkPlaces(m, byPackets, nfHook)
	tab.click(rule)
	tab.checkPlaces(m, byPackets, rule)
	tab.press(kb.Escape)
	tab.checkPlaces(m, byPackets, "")
}
