// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// patterns are what people search for.
var patterns = []struct{ name, pattern string }{
	{"one frame", "^CPU_BACKLOG$"},
	{"a frame within its own kind", "ip_rcv"},
	{"letters of any size", "IP_RCV"},
	{"frames of several parents", "NETFILTER_DROP"},
	{"alternatives, one around the other", "mlx5|udp_rcv$"},
	{"too narrow to draw", `nft_rule_0\d`},
	{"everything", "."},
	{"nothing", "no such frame"},
	{"the root, which is no frame", "^all$"},
	{"frames without packets", "tun"},
	{"one frame without bytes and one with", "QDISC|TAP_FILTER"},
	{"punctuation", `\[process: e`},
}

func TestSearch(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	for _, tt := range patterns {
		pattern := regexp.MustCompile("(?i)" + tt.pattern)
		tab.search(tt.pattern)
		if got, want := tab.text(".status"), m.verdict(pattern, byPackets, ""); got != want {
			t.Errorf("%s: it says %q, want %q", tt.name, got, want)
		}
		for _, b := range tab.boxes() {
			want := b.Path != "" && pattern.MatchString(b.Name)
			if b.run() { // of rules, each with what it does above it
				want = pattern.MatchString("nft_rule_07") || pattern.MatchString("NETFILTER_DROP")
			}
			if got := strings.HasSuffix(b.Class, " hit"); got != want {
				t.Errorf("%s: %q is marked: %v, want %v", tt.name, b.Path, got, want)
			}
		}
		tab.click(ipRcv)
		if got, want := tab.text(".status"), m.verdict(pattern, byPackets, ipRcv); got != want {
			t.Errorf("%s: zoomed it says %q, want %q", tt.name, got, want)
		}
		tab.press(kb.Escape) // ends the zoom,
		tab.press(kb.Escape) // and the search
	}
}

// TestSearchCleared ends a search in each way there is.
func TestSearchCleared(t *testing.T) {
	for name, end := range map[string]func(t *tab){
		"Escape in the field":   func(t *tab) { t.press(kb.Escape) },
		"Escape on a frame":     func(t *tab) { t.focus(ipRcv); t.press(kb.Escape) },
		"emptying the field":    func(t *tab) { t.press(strings.Repeat(kb.Backspace, len("tcp_"))) },
		"pressing a legend key": func(t *tab) { t.clickAt(legendKey(0)); t.clickAt(legendKey(0)) },
	} {
		t.Run(name, func(t *testing.T) {
			tab := openSVG(t, drops(), options())
			before := tab.boxes()
			tab.search("tcp_")
			if hits := eval[int](tab, `document.querySelectorAll('rect.hit').length`); hits != 3 {
				t.Errorf("%d boxes are marked, want 3", hits)
			}
			end(tab)
			if diff := cmp.Diff(before, tab.boxes(), cmpopts.IgnoreFields(box{}, "Tab")); diff != "" {
				t.Errorf("boxes (-before +after):\n%s", diff)
			}
			left := eval[[]string](tab, `[document.querySelector('.bar input').value, document.querySelector('.status').textContent]`)
			if diff := cmp.Diff([]string{"", ""}, left); diff != "" {
				t.Errorf("the field and the result (-want +got):\n%s", diff)
			}
			if eval[bool](tab, `document.querySelector('.frames').classList.contains('searched')`) {
				t.Error("frames are still drawn pale")
			}
		})
	}
}

// TestSearchEscapeLeavesZoom ends the search first and the zoom after it.
func TestSearchEscapeLeavesZoom(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	tab.click(ipRcv)
	tab.search("tcp")
	tab.press(kb.Escape)
	tab.checkPlaces(m, byPackets, ipRcv)
	if got := tab.text(".status"); got != "" {
		t.Errorf("it says %q", got)
	}
	tab.press(kb.Escape)
	tab.checkPlaces(m, byPackets, "")
}

func TestSearchInvalid(t *testing.T) {
	tab := openSVG(t, drops(), options())
	tab.search("tcp_")
	invalid := `document.querySelector('.bar input').getAttribute('aria-invalid')`
	tab.press("(")
	if got, want := tab.text(".status"), "not a regular expression"; got != want || eval[string](tab, invalid) != "true" {
		t.Errorf("it says %q, want %q", got, want)
	}
	tab.press("v)")
	want := newModel(drops()).verdict(regexp.MustCompile("tcp_(v)"), byPackets, "")
	if got := tab.text(".status"); got != want || !eval[bool](tab, invalid+` === null`) {
		t.Errorf("it says %q, want %q", got, want)
	}
}

// TestSearchEnter leads to the first match, drawn or not.
func TestSearchEnter(t *testing.T) {
	for pattern, want := range map[string]string{
		"udp":         ipRcv + ";ip_local_deliver;udp_rcv",
		"nft_rule_3":  nfHook + ";nft_rule_30",
		"no such one": "",
	} {
		tab := openSVG(t, drops(), options())
		tab.search(pattern)
		tab.press(kb.Enter)
		if want == "" {
			if got := tab.where(); !strings.HasPrefix(got, "tools input") {
				t.Errorf("%s leads to %s", pattern, got)
			}
			continue
		}
		if got := tab.focused(); got != want {
			t.Errorf("%s leads to %q, want %q", pattern, got, want)
		}
	}
}
