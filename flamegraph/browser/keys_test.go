// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

func TestArrowKeys(t *testing.T) {
	type step struct{ key, want string }
	const poll = "[softirq];mlx5e_napi_poll"
	// Out is where leaves are, in where the root is.
	steps := func(out, in string) []step {
		return []step{
			{out, "[softirq]"}, // the widest child
			{out, poll},
			{out, gro},
			{out, gro + ";enqueue_to_backlog"},
			{kb.ArrowRight, ipRcv},
			{kb.ArrowRight, ipRcv}, // there is none
			{out, ipRcv + ";ip_local_deliver"},
			{kb.ArrowLeft, ipRcv + ";br_forward"},
			{kb.ArrowLeft, gro + ";enqueue_to_backlog;CPU_BACKLOG"}, // of another parent
			{out, gro + ";enqueue_to_backlog;CPU_BACKLOG"},
			{in, gro + ";enqueue_to_backlog"},
			{in, gro},
			{kb.ArrowLeft, "[process: envoy];__sys_sendto;tcp_sendmsg"},
			{kb.Home, ""},
			{in, ""},
			{kb.ArrowLeft, ""},
		}
	}
	for _, tt := range []struct {
		name   string
		icicle bool
		steps  []step
	}{
		{"flame", false, steps(kb.ArrowUp, kb.ArrowDown)},
		{"icicle", true, steps(kb.ArrowDown, kb.ArrowUp)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options()
			o.Icicle = tt.icicle
			tab := openSVG(t, drops(), o)
			tab.focus("")
			for i, s := range tt.steps {
				before := tab.box(tab.focused())
				tab.press(s.key)
				if got := tab.focused(); got != s.want {
					t.Fatalf("step %d leads to %q, want %q", i, got, s.want)
				}
				after := tab.box(s.want)
				if moved := after.Y - before.Y; s.key == kb.ArrowUp && moved > 0 || s.key == kb.ArrowDown && moved < 0 {
					t.Errorf("step %d moves by %v pixels, the other way", i, moved)
				}
				if !after.Tab {
					t.Errorf("step %d: the Tab key does not lead to where the focus is", i)
				}
			}
		})
	}
}

// where describes what has the focus.
func (t *tab) where() string {
	t.Helper()
	return eval[string](t, `(() => {
		const e = document.activeElement;
		const kind = e.closest('.tools, .legend, .frames')?.getAttribute('class') ?? '';
		return kind + ' ' + e.localName + ' ' + (e.getAttribute('aria-label') ?? e.textContent);
	})()`)
}

func TestTabOrder(t *testing.T) {
	tab := openSVG(t, drops(), options())
	m := newModel(drops())
	tools := []string{
		"tools button packets", "tools button bytes", "tools button rate",
		"tools input search frames by regular expression",
	}
	reset := "tools button Reset zoom"
	legend := []string{}
	for _, k := range m.legend(byPackets) {
		legend = append(legend, "legend g "+k)
	}
	frame := func(path string) string { return "frames rect " + m.label(path, byPackets, options().Measures[0]) }
	check := func(from string, want ...string) {
		t.Helper()
		eval[any](tab, `document.querySelector(`+quoted(from)+`).focus()`)
		got := []string{tab.where()}
		for len(got) < len(want) {
			tab.press(kb.Tab)
			got = append(got, tab.where())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("stops of the Tab key (-want +got):\n%s", diff)
		}
	}
	check(".switch button", slices.Concat(tools, legend, []string{frame("")})...)
	tab.press(kb.ArrowUp)
	tab.press(kb.Tab, chromedp.ModifierShift)
	if got, want := tab.where(), legend[len(legend)-1]; got != want {
		t.Errorf("back from the frames is %q, want %q", got, want)
	}
	tab.press(kb.Tab)
	if got, want := tab.where(), frame("[softirq]"); got != want {
		t.Errorf("again on the frames the focus is on %q, want %q", got, want)
	}
	tab.click(ipRcv)
	check(".switch button", slices.Concat(tools, []string{reset}, legend, []string{frame(ipRcv)})...)
}

func TestFindKey(t *testing.T) {
	for _, key := range []struct {
		name     string
		modifier chromedp.Modifier
	}{{"Ctrl", chromedp.ModifierCtrl}, {"Command", chromedp.ModifierMeta}} {
		t.Run(key.name, func(t *testing.T) {
			tab := openSVG(t, drops(), options())
			eval[any](tab, `window.taken = [], addEventListener('keydown', (e) => window.taken.push(e.defaultPrevented))`)
			tab.press("f", key.modifier)
			if got, want := tab.where(), "tools input search frames by regular expression"; got != want {
				t.Errorf("the focus is on %q, want %q", got, want)
			}
			tab.press("f", key.modifier)
			if diff := cmp.Diff([]bool{true, false}, eval[[]bool](tab, `window.taken`)); diff != "" {
				t.Errorf("keys taken from the browser (-want +got):\n%s", diff)
			}
		})
	}
}

// TestForeignKeys leaves keys to a page that the picture is only a part of.
func TestForeignKeys(t *testing.T) {
	tab := open(t, save(t, "report.html", inline(svg(t, drops(), options()))))
	eval[any](tab, `window.taken = [], addEventListener('keydown', (e) => window.taken.push(e.defaultPrevented))`)
	tab.press("f", chromedp.ModifierCtrl)
	tab.focus(ipRcv)
	tab.press("f", chromedp.ModifierCtrl)
	if diff := cmp.Diff([]bool{false, true}, eval[[]bool](tab, `window.taken`)); diff != "" {
		t.Errorf("keys taken from the page (-want +got):\n%s", diff)
	}
}
