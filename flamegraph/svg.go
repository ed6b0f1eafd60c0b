// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bufio"
	"fmt"
	"io"
)

// WriteSVG draws the graph. It writes nothing and returns ErrEmpty if there is
// nothing to draw; an error of w is returned wrapped.
func (g *Graph) WriteSVG(w io.Writer, o Options) error {
	if g.Total() == 0 {
		return ErrEmpty
	}
	if err := o.check(); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	k := g.kinds(o)
	boxes := g.layout(o.MinShare)
	d := drawing{graph: g, options: o, kinds: k, page: g.newPage(o, k, boxes), w: out}
	d.open()
	d.head()
	d.legend()
	d.frames(boxes)
	d.notes()
	if err := g.writeData(out, newSettings(g, o, k), k); err != nil {
		return err
	}
	fmt.Fprintf(out, "<script><![CDATA[%s]]></script>\n</svg>\n", script())
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write svg: %w", err)
	}
	return nil
}

// drawing is one picture being written.
type drawing struct {
	graph   *Graph
	options Options
	kinds   kinds
	page    page
	w       *bufio.Writer
	buf     []byte
}

// xml returns text of any kind for content and attributes, valid until the
// next call.
func (d *drawing) xml(s string) []byte {
	d.buf = appendXML(d.buf[:0], s)
	return d.buf
}

func (d *drawing) open() {
	name := visible(d.options.Title)
	if name == "" {
		name = "Flame graph"
	}
	// Without the script the picture shrinks with the window and never grows.
	fmt.Fprintf(d.w, `<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" class="flamegraph" width="100%%" height="%[1]d" viewBox="0 0 %[2]d %[1]d" preserveAspectRatio="xMidYMin" role="graphics-document document" lang="en">
<title>%[3]s</title>
`, d.page.height, pageWidth, d.xml(name))
	fmt.Fprintf(d.w, "<style>%s</style>\n", style)
}

func (d *drawing) head() {
	if d.page.title != "" {
		fmt.Fprintf(d.w, "<text class=\"title\" x=\"%d\" y=\"%d\">%s</text>\n", margin, titleBase, d.xml(d.page.title))
	}
	d.lines("subtitle", d.page.subtitle, d.page.subtitleTop)
}

func (d *drawing) notes() {
	d.lines("notes", d.page.notes, d.page.notesTop)
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

func (d *drawing) legend() {
	if len(d.page.legend) == 0 {
		return
	}
	what := "all " + visible(d.options.Unit)
	if d.options.Unit == "" {
		what = "the total"
	}
	fmt.Fprintln(d.w, "<g class=\"legend\">")
	for _, k := range d.page.legend {
		fmt.Fprintf(d.w, "<g class=\"key\" transform=\"translate(%d %d)\" data-kind=\"%d\">", k.x, k.y, k.kind)
		fmt.Fprintf(d.w, "<title>share of %s in stacks with such a frame</title>", d.xml(what))
		fmt.Fprintf(d.w, "<rect class=\"%s\" y=\"4\" width=\"11\" height=\"11\" rx=\"2\"/>", d.kinds.class[k.kind])
		fmt.Fprintf(d.w, "<text x=\"%d\" y=\"14\">%s ", keyText, d.xml(k.label))
		fmt.Fprintf(d.w, "<tspan>%s</tspan></text></g>\n", d.xml(k.share))
	}
	fmt.Fprintln(d.w, "</g>")
}
