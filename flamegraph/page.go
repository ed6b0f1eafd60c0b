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

// keyText is from a key's left end to its text.
const keyText = 17

// key is an entry of the legend.
type key struct {
	kind  int
	label string
	share string
	x, y  int
}

// newPage places everything at pageWidth.
func (g *Graph) newPage(o Options, k kinds, boxes []box) page {
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
	p.legend = g.legend(k, y+legendGap)
	if n := len(p.legend); n > 0 {
		y = p.legend[n-1].y + keyHeight
	}
	p.framesTop = y + framesGap
	for _, b := range boxes {
		p.rows = max(p.rows, int(g.nodes[b.node].depth)+1)
	}
	p.notesTop = p.framesTop + p.rows*rowHeight + notesGap
	p.height = p.notesTop + len(p.notes)*lineHeight + margin
	return p
}

// legend places a key for each category that occurs, from y on.
func (g *Graph) legend(k kinds, y int) []key {
	if len(k.categories) == 0 {
		return nil
	}
	var keys []key
	x := margin
	for kind, value := range g.covered(k) {
		if value == 0 {
			continue
		}
		label := visible(k.categories[kind].Name)
		share := formatShare(value, g.Total())
		width := keyText + int(float64(letters(label)+1+letters(share))*smallLetter)
		if x > margin && x+width > pageWidth-margin {
			x, y = margin, y+keyHeight
		}
		keys = append(keys, key{kind: kind, label: label, share: share, x: x, y: y})
		x += width + keySpace
	}
	return keys
}
