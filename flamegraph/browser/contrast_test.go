// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// A text that is to be read, and what it stands on.
type text struct {
	Words, Class string
	Color        string
	Layers       []string  // from the page up
	Opacities    []float64 // of the layers
}

// readTexts returns all texts on view. A frame's label stands on its box, the
// tip's lines on the tip, a text of HTML on what it is in.
const readTexts = `(() => {
	const texts = [];
	const style = (e, pseudo) => getComputedStyle(e, pseudo);
	const page = style(document.querySelector('svg')).backgroundColor;
	const boxes = [...document.querySelectorAll('.frames [role=treeitem]')];
	const add = (e, words, color, layers) => texts.push({
		words, color, class: e.getAttribute('class') ?? e.closest('[class]').getAttribute('class'),
		layers: [page, ...layers.map((l) => l[0])], opacities: [1, ...layers.map((l) => Number(l[1]))],
	});
	const fill = (e) => [style(e).fill, style(e).fillOpacity];
	const own = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim());
	for (const e of document.querySelectorAll('svg text, svg tspan')) {
		if (!own(e) || style(e).visibility === 'hidden') continue;
		let below = [];
		if (e.closest('.labels')) {
			const box = boxes.find((b) => Math.abs(b.getAttribute('x') - e.getAttribute('x') + 4) < 0.01 && b.getAttribute('y') == e.getAttribute('y') - 12);
			below = [fill(box)];
		}
		if (e.closest('.tip')) below = [fill(document.querySelector('.tip rect'))];
		add(e, e.textContent, style(e).fill, below);
	}
	for (const e of document.querySelectorAll('foreignObject *')) {
		if (!own(e) && e.localName !== 'input' || e.getClientRects().length === 0) continue;
		const below = [];
		for (let at = e; at.localName !== 'foreignObject'; at = at.parentNode) below.unshift([style(at).backgroundColor, 1]);
		if (e.localName === 'input' && !e.value) add(e, e.placeholder, style(e, '::placeholder').color, below);
		else add(e, e.textContent || e.value, style(e).color, below);
	}
	return texts;
})()`

// rgb is a color in parts of 255.
type rgb [3]float64

// over puts a color as CSS has it over another one.
func over(t testing.TB, css string, opacity float64, below rgb) rgb {
	t.Helper()
	var c rgb
	alpha := 1.0
	fields := strings.Split(strings.Trim(css[strings.Index(css, "(")+1:], ")"), ", ")
	for i, f := range fields {
		at := &alpha
		if i < 3 {
			at = &c[i]
		}
		if _, err := fmt.Sscan(f, at); err != nil {
			t.Fatalf("color %s: %v", css, err)
		}
	}
	for i := range c {
		c[i] = below[i] + (c[i]-below[i])*alpha*opacity
	}
	return c
}

// bright is the relative luminance of WCAG 2.
func (c rgb) bright() float64 {
	var linear rgb
	for i, v := range c {
		if v /= 255; v <= 0.04045 {
			linear[i] = v / 12.92
		} else {
			linear[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*linear[0] + 0.7152*linear[1] + 0.0722*linear[2]
}

// contrast is that of WCAG 2, from 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.bright()+0.05, b.bright()+0.05
	return max(x, y) / min(x, y)
}

// checkContrast tells of texts that are hard to read, and returns how many
// there are.
func (t *tab) checkContrast(state string) int {
	t.Helper()
	texts := eval[[]text](t, readTexts)
	for _, text := range texts {
		var ground rgb
		for i, layer := range text.Layers {
			ground = over(t, layer, text.Opacities[i], ground)
		}
		if got := contrast(over(t, text.Color, 1, ground), ground); got < 4.5 {
			t.Errorf("%s: %q (%s) has a contrast of %.2f: %s on %.0f", state, text.Words, text.Class, got, text.Color, ground)
		}
	}
	return len(texts)
}
