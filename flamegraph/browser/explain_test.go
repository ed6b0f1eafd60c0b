// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"testing"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// A panel explains a frame.
type panel struct {
	Shown  bool
	Of     string      // a heading
	Facts  [][2]string // terms and texts
	Markup int         // elements besides those
	Below  float64     // where it ends, in the window
	Frames [2]float64  // where frames begin and end
}

func (t *tab) panel() panel {
	t.Helper()
	return eval[panel](t, `(() => {
		const about = document.querySelector('.about');
		const at = about.getBoundingClientRect();
		const frames = document.querySelector('.frames [role=tree]').getBoundingClientRect();
		const words = (e) => e.textContent;
		return {
			shown: at.height > 0,
			of: [...about.querySelectorAll('h2')].map(words).join(),
			facts: [...about.querySelectorAll('dt')].map((e) => [words(e), words(e.nextElementSibling)]),
			markup: about.querySelectorAll('*:not(section, h2, dl, dt, dd)').length,
			below: at.bottom,
			frames: [frames.top, frames.bottom],
		};
	})()`)
}

func TestExplanation(t *testing.T) {
	for _, icicle := range []bool{false, true} {
		o := options()
		o.Icicle = icicle
		tab := openSVG(t, drops(), o)
		for _, step := range []struct {
			name string
			do   func()
			want panel
		}{
			{"at first", func() {}, panel{}},
			{"a reason", func() { tab.click(backlog) }, panel{Shown: true, Of: "CPU_BACKLOG", Facts: [][2]string{
				{"Meaning", "The queue of a CPU is full: packets come faster than it takes them."},
				{"Dropped in", "enqueue_to_backlog"}, // the parent
				{"Settings", "sysctl net.core.netdev_max_backlog"},
			}}},
			{"its parent, of which nothing is known", func() { tab.click(parent(backlog)) }, panel{}},
			{"the reason again", func() { tab.focus(backlog); tab.press(kb.Enter) }, panel{Shown: true, Of: "CPU_BACKLOG", Facts: explained()}},
			{"reset", func() { tab.press(kb.Escape) }, panel{}},
			{"markup", func() { tab.click(ipRcv + ";ip_local_deliver;tcp_v4_rcv;NO_SOCKET") }, panel{Shown: true, Of: "NO_SOCKET", Facts: [][2]string{
				{"<b>Meaning</b>", `<img src=x onerror="alert(1)"> & "nobody listens"`},
			}}},
			{"reset by the button", func() { tab.clickOn("button", "Reset zoom") }, panel{}},
		} {
			step.do()
			got := tab.panel()
			if above := got.Below <= got.Frames[0]; got.Shown && above == icicle {
				t.Errorf("%s: the panel ends at %v, frames are from %v to %v", step.name, got.Below, got.Frames[0], got.Frames[1])
			}
			got.Below, got.Frames = 0, [2]float64{}
			if len(got.Facts) == 0 {
				got.Facts = nil
			}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step.name, diff)
			}
		}
	}
}

// explained are the facts of CPU_BACKLOG, with the parent that is one of them.
func explained() (facts [][2]string) {
	for _, f := range explain("CPU_BACKLOG", "") {
		if f.Text == "" {
			f.Text = leaf(parent(backlog))
		}
		facts = append(facts, [2]string{f.Term, f.Text})
	}
	return facts
}

// TestTip sees what the note below the pointer tells.
func TestTip(t *testing.T) {
	tab := openSVG(t, drops(), options())
	tip := func() []string {
		return eval[[]string](tab, `document.querySelector('.tip').getAttribute('visibility') === 'visible'
			? [...document.querySelectorAll('.tip tspan')].map((e) => e.textContent) : []`)
	}
	tab.hover(backlog)
	want := []string{"CPU_BACKLOG", "1,520,450 packets, 56.08% of all", "driver", "click for an explanation"}
	if diff := cmp.Diff(want, tip()); diff != "" {
		t.Errorf("on a reason (-want +got):\n%s", diff)
	}
	tab.click(ipRcv)
	tab.hover(ipRcv + ";ip_local_deliver")
	want = []string{"ip_local_deliver", "851,420 packets, 31.41% of all", "78.01% of ip_rcv", "IP"}
	if diff := cmp.Diff(want, tip()); diff != "" {
		t.Errorf("zoomed (-want +got):\n%s", diff)
	}
	tab.hover("[softirq];mlx5e_napi_poll")
	want = []string{"mlx5e_napi_poll", "2,616,092 packets, 96.50% of all", "3,000 packets end here", "driver"}
	if diff := cmp.Diff(want, tip()); diff != "" {
		t.Errorf("on a parent (-want +got):\n%s", diff)
	}
	tab.press(kb.Escape)
	tab.hover(nfHook + ";40 frames too narrow or deep to draw")
	want = []string{"40 frames too narrow or deep to draw", "40,000 packets, 1.48% of all", "click to enlarge"}
	if diff := cmp.Diff(want, tip()); diff != "" {
		t.Errorf("on a run (-want +got):\n%s", diff)
	}
	tab.hoverAt(1190, 5)
	if got := tip(); len(got) != 0 {
		t.Errorf("beside the frames it tells %q", got)
	}
}
