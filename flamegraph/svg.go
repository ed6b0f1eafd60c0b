// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bufio"
	"fmt"
	"io"
)

// WriteSVG draws the graph as an SVG file. It writes nothing and returns
// ErrEmpty if there is nothing to draw; an error of w is returned wrapped.
func (g *Graph) WriteSVG(w io.Writer, o Options) error {
	return g.write(w, "svg", o, func(d *drawing) error {
		fmt.Fprintln(d.w, `<?xml version="1.0" encoding="UTF-8"?>`)
		return d.picture(style)
	})
}

// write makes a drawing and has do write it.
func (g *Graph) write(w io.Writer, format string, o Options, do func(*drawing) error) error {
	if err := o.check(); err != nil {
		return err
	}
	if g.empty() {
		return ErrEmpty // and the graph's columns are not known
	}
	if err := o.checkColumns(len(g.axes)); err != nil {
		return err
	}
	m := o.measures()[o.Measure]
	v := view{graph: g, palette: g.palette(o), measure: m, axis: g.axes[m.Column]}
	if v.total() == 0 {
		return ErrEmpty
	}
	out := bufio.NewWriterSize(w, 1<<16)
	boxes := v.layout(o.MinShare)
	d := drawing{view: v, options: o, boxes: boxes, page: newPage(o, &v, boxes), w: out}
	if err := do(&d); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", format, err)
	}
	return nil
}

// drawing is one picture being written.
type drawing struct {
	view
	options Options
	boxes   []box
	page    page
	w       *bufio.Writer
	buf     []byte
}

// picture writes the svg element with all that belongs to it, and a style if it
// has none yet.
func (d *drawing) picture(style string) error {
	// Without the script the picture shrinks with the window and never grows.
	fmt.Fprintf(d.w, `<svg xmlns="http://www.w3.org/2000/svg" class="flamegraph" width="100%%" height="%[1]d" viewBox="0 0 %[2]d %[1]d" preserveAspectRatio="xMidYMin" role="graphics-document document" lang="en">
<title>%[3]s</title>
`, d.page.height, pageWidth, d.xml(d.name()))
	if style != "" {
		fmt.Fprintf(d.w, "<style>%s</style>\n", style)
	}
	if d.page.title != "" {
		fmt.Fprintf(d.w, "<text class=\"title\" role=\"heading\" aria-level=\"1\" x=\"%d\" y=\"%d\">%s</text>\n", margin, titleBase, d.xml(d.page.title))
	}
	d.lines("subtitle", d.page.subtitle, d.page.subtitleTop)
	d.legend()
	d.frames()
	d.lines("notes", d.page.notes, d.page.notesTop)
	if err := d.graph.writeData(d.w, d.options, d.palette); err != nil {
		return err
	}
	fmt.Fprintf(d.w, "<script><![CDATA[%s]]></script>\n</svg>\n", script())
	return nil
}

// xml returns text of any kind for content and attributes, valid until the
// next call.
func (d *drawing) xml(s string) []byte {
	d.buf = appendXML(d.buf[:0], s)
	return d.buf
}

// name returns what the picture is called by programs that list it.
func (d *drawing) name() string {
	if d.options.Title == "" {
		return "Flame graph"
	}
	return visible(d.options.Title)
}

// lines writes lines of text below y.
func (d *drawing) lines(class string, lines []string, y int) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(d.w, "<text class=\"%s\">", class)
	for i, line := range lines {
		fmt.Fprintf(d.w, "<tspan x=\"%d\" y=\"%d\">%s</tspan>", margin, y+(i+1)*lineHeight-lineBelow, d.xml(line))
	}
	fmt.Fprintln(d.w, "</text>")
}

// legend writes the legend, whose group is there even if empty, for the script
// to fill it for other measures.
func (d *drawing) legend() {
	fmt.Fprintln(d.w, `<g class="legend">`)
	for _, k := range d.page.legend {
		fmt.Fprintf(d.w, "<g class=\"key\" transform=\"translate(%d %d)\"><rect class=\"%s\" y=\"4\" width=\"11\" height=\"11\" rx=\"2\"/>", k.x, k.y, k.class)
		fmt.Fprintf(d.w, "<text x=\"%d\" y=\"14\">%s ", keyText, d.xml(k.label))
		fmt.Fprintf(d.w, "<tspan>%s</tspan></text></g>\n", d.xml(k.share))
	}
	fmt.Fprintln(d.w, "</g>")
}
