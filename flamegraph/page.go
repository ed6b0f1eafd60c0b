// SPDX-License-Identifier: Apache-2.0

package flamegraph

// page is what surrounds the frames, and where. Lengths are in pixels.
type page struct {
	title           string
	subtitle, notes []string // lines
	legend          []key
	rows            int // of frames
	subtitleTop     int
	framesTop       int
	notesTop        int
	height          int
}

// newPage places everything at pageWidth.
func newPage(o Options, v *view, boxes []box) page {
	const width = pageWidth - 2*margin
	across := float64(width)
	p := page{
		title:    fit(visible(o.Title), int(across/titleLetter)),
		subtitle: wrap(visible(o.Subtitle), int(across/smallLetter)),
	}
	for _, note := range o.Notes {
		p.notes = append(p.notes, wrap(visible(note), int(across/smallLetter))...)
	}
	y := margin
	if p.title != "" {
		y = titleBase + titleGap
	}
	p.subtitleTop = y
	y += len(p.subtitle) * lineHeight
	p.legend = v.legend(y + legendGap)
	if n := len(p.legend); n > 0 {
		y = p.legend[n-1].y + keyHeight
	}
	p.framesTop = y + framesGap
	for _, b := range boxes {
		p.rows = max(p.rows, int(v.graph.nodes[b.node].depth)+1)
	}
	p.notesTop = p.framesTop + p.rows*rowHeight + notesGap
	p.height = p.notesTop + len(p.notes)*lineHeight + margin
	return p
}
