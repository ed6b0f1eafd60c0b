// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// legendKey returns an expression for an entry of the legend.
func legendKey(i int) string { return fmt.Sprintf(`document.querySelectorAll('.legend .key')[%d]`, i) }

// legend returns the entries of the legend.
func (t *tab) legend() []string {
	t.Helper()
	return eval[[]string](t, `[...document.querySelectorAll('.legend .key')].map((e) => e.textContent)`)
}

func TestLegend(t *testing.T) {
	m := newModel(drops())
	tab := openSVG(t, drops(), options())
	keys := tab.legend()
	if diff := cmp.Diff(m.legend(byPackets), keys); diff != "" {
		t.Fatalf("legend (-want +got):\n%s", diff)
	}
	pressed := func() (list []string) {
		return eval[[]string](tab, `[...document.querySelectorAll('.legend .key[aria-pressed=true]')].map((e) => e.textContent)`)
	}
	ways := []func(i int){
		func(i int) { tab.clickAt(legendKey(i)) },
		func(i int) { eval[any](tab, legendKey(i)+`.focus()`); tab.press(kb.Enter) },
		func(i int) { eval[any](tab, legendKey(i)+`.focus()`); tab.press(" ") },
	}
	for i, key := range keys {
		toggle := ways[i%len(ways)]
		toggle(i)
		if diff := cmp.Diff([]string{key}, pressed()); diff != "" {
			t.Errorf("pressed (-want +got):\n%s", diff)
		}
		part := key[strings.LastIndex(key, " ")+1:]
		if got, want := tab.text(".status"), part+" matched · "+plural(m.ends(key[:len(key)-len(part)-1], byPackets), "frame"); got != want && !strings.HasPrefix(got, want+", ") {
			t.Errorf("%s: it says %q, want %q", key, got, want)
		}
		if i%2 == 0 { // else the next one takes its place
			toggle(i)
			if got := tab.text(".status"); got != "" || len(pressed()) != 0 {
				t.Errorf("%s: after the second time it says %q, and pressed are %q", key, got, pressed())
			}
		}
	}
}

// TestLegendMarks marks the frames in which stacks of a category end.
func TestLegendMarks(t *testing.T) {
	tab := openSVG(t, drops(), options())
	tab.clickOn(".legend .key", newModel(drops()).legend(byPackets)[2]) // IP
	var marked []string
	for _, b := range tab.boxes() {
		if strings.HasSuffix(b.Class, " hit") {
			marked = append(marked, b.Path)
		}
	}
	want := []string{"[process: envoy];__sys_sendto;tcp_sendmsg;ip_output;QDISC_DROP"}
	if diff := cmp.Diff(want, marked); diff != "" {
		t.Errorf("marked (-want +got):\n%s", diff)
	}
	tab.search("udp")
	if n := eval[int](tab, `document.querySelectorAll('.key[aria-pressed=true]').length`); n != 0 {
		t.Errorf("%d entries are pressed during a search", n)
	}
}

// ends returns in how many frames stacks of a category end.
func (m model) ends(name string, column int) (frames int) {
	for i, stack := range m.stacks {
		one := model{m.stacks[i : i+1], m.values[i : i+1]}
		if one.layer(name, column) > 0 && stack != "" {
			frames++
		}
	}
	return frames
}
