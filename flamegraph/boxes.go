// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "fmt"

// rootName is what the root is called, which no sample names.
const rootName = "all"

// emptyName is shown for a frame without a name.
const emptyName = "(no name)"

// frames writes the boxes, row by row from the root, each followed by its
// label.
func (d *drawing) frames() {
	rows := make([][]box, d.page.rows)
	for _, b := range d.boxes {
		row := d.graph.nodes[b.node].depth
		rows[row] = append(rows[row], b)
	}
	fmt.Fprintln(d.w, `<g class="frames">`)
	for i, row := range rows {
		if !d.options.Icicle {
			i = len(rows) - 1 - i
		}
		fmt.Fprintf(d.w, "<g transform=\"translate(%d %d)\">\n", margin, d.page.framesTop+i*rowHeight)
		for _, b := range row {
			d.box(b)
		}
		fmt.Fprintln(d.w, "</g>")
	}
	fmt.Fprintln(d.w, "</g>")
}

// box writes a box with its tooltip and its label. The narrowest can hardly be
// pointed at and go without.
func (d *drawing) box(b box) {
	class, name := d.look(b)
	left, width := float64(b.left)/100, float64(b.width)/100
	fmt.Fprintf(d.w, `<rect class="%s" x="%v" width="%v" height="%d"`, class, left, width, rowHeight-boxGap)
	if width < 4 {
		fmt.Fprintln(d.w, "/>")
		return
	}
	fmt.Fprintf(d.w, "><title>%s\n", d.xml(name))
	fmt.Fprintf(d.w, "%s", d.xml(d.amount(b.value)))
	if c := d.measure.Change; c != nil && b.frames == 0 {
		from, to := d.changed(b.node)
		fmt.Fprintf(d.w, "\n%s", d.xml(c.words(d.measure, from, to)))
	}
	fmt.Fprintln(d.w, "</title></rect>")
	most := int((width - 2*textInset) / frameLetter)
	if b.frames == 0 && most >= min(minLetters, letters(name)) {
		fmt.Fprintf(d.w, "<text x=\"%v\" y=\"%d\">%s</text>\n", textInset+left, textBase, d.xml(fit(name, most)))
	}
}

// look returns a box's class and name.
func (d *drawing) look(b box) (class, name string) {
	switch {
	case b.frames == 1:
		return "more", "1 frame too narrow or deep to draw"
	case b.frames > 1:
		return "more", formatCount(uint64(b.frames)) + " frames too narrow or deep to draw"
	case b.node == 0:
		return "root", rootName
	}
	if name = d.graph.shown(d.graph.nodes[b.node].name); name == "" {
		name = emptyName
	}
	return d.class(b.node), name
}
