// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// hash returns the part of the page's address that links to a frame.
func (t *tab) hash() string {
	t.Helper()
	return eval[string](t, `location.hash`)
}

// strange are names that mean something in addresses, in regular expressions,
// in markup, in this format.
var strange = []string{
	"a;b", "50%", "100%25", "#hash", "a#b", "?q=1&r=2", "größe 関数", "emoji 😀", "a b", "a+b", "/slash/../x", `back\slash`,
	"all", "", "'single' \"double\"", "<b>", "\x1b[31m", "%zz", "[T; 4]", "1 frame too narrow or deep to draw", "(a|b)*", "\xff",
}

// zoomed returns the labels of the boxes over the full width, which lead to
// what is on view.
func (t *tab) zoomed() string {
	t.Helper()
	return eval[string](t, `[...document.querySelectorAll('[role=treeitem][width="1175"]')].map((e) => e.getAttribute('aria-label')).join('\n')`)
}

// TestLink zooms to frames of strange names and follows their links: to the
// deeper ones in another tab, to the others in a tab that is open already.
func TestLink(t *testing.T) {
	var samples []flamegraph.Sample
	for _, name := range strange {
		samples = append(samples,
			flamegraph.Sample{Stack: []string{name}, Value: 10},
			flamegraph.Sample{Stack: []string{name, "middle"}, Value: 10},
			flamegraph.Sample{Stack: []string{name, "middle", name}, Value: 10})
	}
	url := save(t, "a.svg", svg(t, samples, flamegraph.Options{Title: "Links"}))
	first, second := open(t, url), open(t, url)
	if got, want := len(first.boxes()), 1+3*len(strange); got != want {
		t.Fatalf("%d boxes, want %d", got, want)
	}
	seen := make(map[string]bool)
	for i := 1; i <= 3*len(strange); i++ {
		first.clickAt(`document.querySelectorAll('[role=treeitem]')[` + strconv.Itoa(i) + `]`)
		hash, want := first.hash(), first.zoomed()
		if seen[hash] || hash == "" {
			t.Errorf("box %d has the link %q, like another one", i, hash)
		}
		seen[hash] = true
		deep := i%3 == 0
		if above := strings.Count(want, "\n"); above != (i-1)%3+1 {
			t.Errorf("box %d is zoomed to as %q", i, want)
		}
		if deep {
			second.visit("about:blank")
			second.visit(url + hash)
		} else {
			eval[any](second, `location.hash = `+quoted(hash))
			second.wait(`document.querySelectorAll('[width="1175"]').length === ` + strconv.Itoa(strings.Count(want, "\n")+1))
		}
		if got := second.zoomed(); got != want || second.text(".status") != "" {
			t.Errorf("link %s leads to %q, %q; want %q", hash, got, second.text(".status"), want)
		}
		first.clickAt(`document.querySelector('[role=treeitem]')`)
		if hash := first.hash(); hash != "" {
			t.Errorf("the root's link is %q", hash)
		}
	}
}

// TestLinkLost follows links to frames that are not, or not quite, there.
func TestLinkLost(t *testing.T) {
	m := newModel(drops())
	url := save(t, "a.svg", svg(t, drops(), options()))
	for _, tt := range []struct{ name, hash, at string }{
		{"another picture's", "#swapper;do_idle", ""},
		{"one that goes on", "#" + strings.ReplaceAll(ipRcv, "_", "%5f") + ";gone;long;ago", ipRcv},
		{"broken escapes", "#%zz;%", ""},
		{"the bytes of no character", "#%ff%fe", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tab := open(t, url+tt.hash)
			tab.checkPlaces(m, byPackets, tt.at)
			if got, want := tab.text(".status"), "the linked frame is not in this picture"; got != want {
				t.Errorf("it says %q, want %q", got, want)
			}
			tab.click(nfHook)
			if got := tab.text(".status"); got != "" {
				t.Errorf("after a click it says %q", got)
			}
			tab.wait(`location.hash.endsWith('nf_hook_slow')`)
		})
	}
}

// TestHistory goes back and forth with the browser's own buttons.
func TestHistory(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	for _, at := range []string{ipRcv, nfHook, ""} {
		tab.click(at)
	}
	for _, step := range []struct{ way, at string }{
		{"back", nfHook}, {"back", ipRcv}, {"back", ""}, {"forward", ipRcv},
	} {
		eval[any](tab, `history.`+step.way+`()`)
		tab.wait(`decodeURIComponent(location.hash.slice(1)) === ` + quoted(step.at))
		tab.wait(`document.querySelector('[role=treeitem]').classList.contains('above') === ` + strconv.FormatBool(step.at != ""))
		tab.checkPlaces(m, byPackets, step.at)
	}
}

// TestForeignLinks leaves alone what links to other parts of a page, and what
// links to another picture in it.
func TestForeignLinks(t *testing.T) {
	m := newModel(drops())
	page := save(t, "report.html", inline(svg(t, drops(), options()), svg(t, steps(), comparison())))
	words := `[...document.querySelectorAll('.status')].map((e) => e.textContent).join()`
	tab := open(t, page+"#end")
	if got := eval[string](tab, words); got != "," {
		t.Errorf("of a link to a part of the page the pictures say %q", got)
	}
	eval[any](tab, `new Promise((done) => { addEventListener('hashchange', done), location.hash = 'other' })`)
	if got := eval[string](tab, words); got != "," {
		t.Errorf("of another they say %q", got)
	}
	eval[any](tab, `document.querySelectorAll('svg')[1].remove()`)
	tab.checkPlaces(m, byPackets, "")
}
