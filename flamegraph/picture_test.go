// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"math"
	"strings"
	"testing"
)

// picture is an SVG file as a reader sees it.
type picture struct {
	Role     string   `xml:"role,attr"`
	Height   float64  `xml:"height,attr"`
	Title    string   `xml:"title"`
	Texts    []words  `xml:"text"`
	Groups   []group  `xml:"g"`
	Metadata []words  `xml:"metadata"`
	Script   []string `xml:"script"`
	Style    []string `xml:"style"`

	settings settings
	stacks   map[string][]uint64 // the columns of values, by visible path
}

type group struct {
	Class string    `xml:"class,attr"`
	Rows  []group   `xml:"g"`
	Rects []rect    `xml:"rect"`
	Texts []placed  `xml:"text"`
	At    transform `xml:"transform,attr"`
}

type rect struct {
	Class string  `xml:"class,attr"`
	X     float64 `xml:"x,attr"`
	Width float64 `xml:"width,attr"`
	Title string  `xml:"title"`
}

type placed struct {
	X    float64 `xml:"x,attr"`
	Text string  `xml:",chardata"`
	Span string  `xml:"tspan"`
}

type words struct {
	Class string   `xml:"class,attr"`
	Text  string   `xml:",chardata"`
	Lines []string `xml:"tspan"`
}

type transform string

// draw returns the SVG.
func draw(tb testing.TB, g *Graph, o Options) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := g.WriteSVG(&b, o); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// readPicture decodes an SVG and the data in it.
func readPicture(tb testing.TB, svg []byte) picture {
	tb.Helper()
	var p picture
	if err := xml.Unmarshal(svg, &p); err != nil {
		tb.Fatalf("not well-formed: %v", err)
	}
	data := make(map[string]string)
	for _, m := range p.Metadata {
		data[m.Class] = m.Text
	}
	if err := json.Unmarshal([]byte(data["settings"]), &p.settings); err != nil {
		tb.Fatal(err)
	}
	p.stacks = readStacks(tb, strings.Split(data["names"], "\n"), data["stacks"], p.settings.Columns)
	return p
}

// readStacks decodes what writeData wrote.
func readStacks(tb testing.TB, names []string, text string, columns int) map[string][]uint64 {
	tb.Helper()
	next := func() (n uint64) {
		for shift := 0; ; shift += 5 {
			digit := text[0]
			text = text[1:]
			if digit < '_' {
				return n | uint64(digit-'?')<<shift
			}
			n |= uint64(digit-'_') << shift
		}
	}
	stacks := make(map[string][]uint64)
	var path []string
	for text != "" {
		path = path[:uint64(len(path))-next()]
		for add := next(); add > 0; add-- {
			path = append(path, names[next()])
		}
		stack := strings.Join(path, ";")
		if _, ok := stacks[stack]; ok {
			tb.Errorf("stack %s twice", stack)
		}
		for range columns {
			stacks[stack] = append(stacks[stack], next())
		}
	}
	return stacks
}

// group returns the group of that class.
func (p picture) group(class string) group {
	for _, g := range p.Groups {
		if g.Class == class {
			return g
		}
	}
	return group{}
}

// rows returns the rows of frames, from the root.
func (p picture) rows() []group { return p.group("frames").Rows }

// checkNesting tells of boxes that overlap or are not above another box.
func checkNesting(tb testing.TB, rows []group) {
	tb.Helper()
	// Half of a hundredth, which is what lengths are rounded to.
	const close = 0.005
	for i, row := range rows {
		end := 0.0
		parent := 0
		for _, r := range row.Rects {
			if r.X < end-close || r.Width <= 0 {
				tb.Errorf("row %d: box at %v, %v wide, after one that ends at %v", i, r.X, r.Width, end)
			}
			end = r.X + r.Width
			if i == 0 {
				continue
			}
			below := rows[i-1].Rects
			for parent < len(below) && below[parent].X+below[parent].Width < end-close {
				parent++
			}
			if parent == len(below) || below[parent].X > r.X+close {
				tb.Errorf("row %d: box from %v to %v is above none", i, r.X, end)
			}
		}
	}
	if root := rows[0].Rects; len(root) != 1 || math.Abs(root[0].Width-(pageWidth-2*margin-boxGap)) > close {
		tb.Errorf("root is %v", root)
	}
}
