// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"encoding/json"
	"fmt"

	"github.com/chromedp/chromedp"
)

// wait waits until a condition of the page holds.
func (t *tab) wait(condition string) {
	t.Helper()
	holds := eval[bool](t, `new Promise((done) => {
		const until = performance.now() + 10000;
		const look = () => {
			const holds = Boolean(`+condition+`);
			if (holds || performance.now() > until) done(holds);
			else requestAnimationFrame(look);
		};
		look();
	})`)
	if !holds {
		t.Fatalf("never: %s", condition)
	}
}

// quoted returns text for use in a script.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string has always a form
	}
	return string(b)
}

// middle returns where the middle of what an expression returns is.
func (t *tab) middle(element string) (x, y float64) {
	t.Helper()
	at := eval[[2]float64](t, `(() => {
		const at = (`+element+`).getBoundingClientRect();
		return [at.x + at.width / 2, at.y + at.height / 2];
	})()`)
	return at[0], at[1]
}

// clickAt presses the mouse on what an expression returns.
func (t *tab) clickAt(element string) {
	t.Helper()
	t.do(chromedp.MouseClickXY(t.middle(element)))
}

// hoverAt moves the mouse.
func (t *tab) hoverAt(x, y float64) {
	t.Helper()
	t.do(chromedp.MouseEvent(chromedp.MouseMoved, x, y))
}

// hover moves the mouse to a frame.
func (t *tab) hover(path string) {
	t.Helper()
	t.hoverAt(t.middle(t.element(path)))
}

// clickOn presses the mouse on the one element that a selector names and whose
// text, or label, is that.
func (t *tab) clickOn(selector, text string) {
	t.Helper()
	t.clickAt(fmt.Sprintf(`[...document.querySelectorAll(%s)].find((e) => [e.textContent, e.getAttribute('aria-label')].includes(%s))`, quoted(selector), quoted(text)))
}

// element returns an expression for the box of a frame.
func (t *tab) element(path string) string {
	t.Helper()
	for i, b := range t.boxes() {
		if b.Path == path {
			return fmt.Sprintf(`document.querySelectorAll('.frames [role=treeitem]')[%d]`, i)
		}
	}
	t.Fatalf("no box of %q", path)
	return ""
}

// click presses the mouse on a frame.
func (t *tab) click(path string) {
	t.Helper()
	t.clickAt(t.element(path))
}

// focus leads the keyboard to a frame.
func (t *tab) focus(path string) {
	t.Helper()
	eval[any](t, t.element(path)+`.focus()`)
}

// press presses keys, one after the other.
func (t *tab) press(keys string, modifiers ...chromedp.Modifier) {
	t.Helper()
	t.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// focused returns the path of the frame that has the focus.
func (t *tab) focused() string {
	t.Helper()
	i := eval[int](t, `[...document.querySelectorAll('.frames [role=treeitem]')].indexOf(document.activeElement)`)
	if i < 0 {
		t.Fatal("no frame has the focus")
	}
	return t.boxes()[i].Path
}

// text returns what the first element of a selector says.
func (t *tab) text(selector string) string {
	t.Helper()
	return eval[string](t, `document.querySelector(`+quoted(selector)+`).textContent`)
}

// search types a pattern into the empty search field.
func (t *tab) search(pattern string) {
	t.Helper()
	eval[any](t, `document.querySelector('.bar input').focus()`)
	t.press(pattern)
}
