// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

// TestFocusStays keeps the focus on a frame while the picture changes.
func TestFocusStays(t *testing.T) {
	tab := openSVG(t, drops(), options())
	tab.focus(nfHook)
	for _, key := range []string{kb.Enter, kb.Escape} {
		tab.press(key)
		if got := tab.focused(); got != nfHook {
			t.Errorf("the focus is on %q", got)
		}
	}
}

// TestFocusVisible goes through all stops of the Tab key, each of which has to
// look different with the focus, on light pages and dark ones.
func TestFocusVisible(t *testing.T) {
	const shown = `(() => {
		const e = document.activeElement;
		const style = getComputedStyle(e);
		const ring = document.querySelector('.ring');
		const same = ['x', 'y', 'width', 'height'].every((a) => ring.getAttribute(a) === e.getAttribute(a));
		if (e.closest('.frames')) return ring.getAttribute('visibility') + ' ' + same + ' ' + getComputedStyle(ring).strokeWidth;
		return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1 ? 'outline' : 'nothing';
	})()`
	tab := openSVG(t, drops(), options())
	tab.click(ipRcv)
	for _, dark := range []bool{false, true} {
		tab.dark(dark)
		eval[any](tab, `document.activeElement.blur()`)
		eval[any](tab, `document.querySelector('.switch button').focus()`)
		for stops := 1; ; stops++ {
			tab.press(kb.Tab)
			where, want := tab.where(), "outline"
			if strings.HasPrefix(where, "frames") {
				want = "visible true 2px"
			}
			if got := eval[string](tab, shown); got != want {
				t.Errorf("on %s the focus shows as %q, want %q", where, got, want)
			}
			if want != "outline" {
				if stops != 10 {
					t.Errorf("the frames are stop %d", stops)
				}
				break
			}
		}
	}
}
