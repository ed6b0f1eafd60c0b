// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/pkg/twwidth"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// table is aligned columns under upper-case headings, without lines: some columns
// next to each other numbers, the others text.
type table struct {
	headings []string
	align    []tw.Align
	rows     [][]string
	widest   []string // of each column, headings included, a line without line breaks
	widths   []int    // of those
}

// laidOut is how many rows tablewriter lays out. It takes 60 µs and some kilobytes for each;
// those behind follow the columns that it made.
const laidOut = 1 << 10

// between columns.
const padding = "  "

// newTable returns a table whose columns from first up to end are numbers.
func newTable(columns []string, first, end int) *table {
	t := &table{align: make([]tw.Align, len(columns)), headings: make([]string, len(columns))}
	for i, name := range columns {
		t.align[i] = tw.AlignLeft
		if i >= first && i < end {
			t.align[i] = tw.AlignRight
		}
		t.headings[i] = strings.ToUpper(name)
	}
	t.widest = slices.Clone(t.headings)
	for _, heading := range t.headings {
		t.widths = append(t.widths, width(heading))
	}
	return t
}

func (t *table) row(cells []string) {
	t.rows = append(t.rows, cells)
	for i, cell := range cells {
		for line := range strings.SplitSeq(cell, "\n") {
			if n := width(line); n > t.widths[i] {
				t.widest[i], t.widths[i] = line, n
			}
		}
	}
}

// width returns how many columns of a terminal a line takes.
func width(line string) int {
	for i := range len(line) {
		if line[i] < ' ' || line[i] > '~' {
			return twwidth.Width(line)
		}
	}
	return len(line)
}

// write writes the table without spaces at the ends of lines.
func (t *table) write(w io.Writer) error {
	first := min(len(t.rows), laidOut)
	if err := t.layOut(w, t.rows[:first]); err != nil {
		return err
	}
	var line []byte
	for _, row := range t.rows[first:] {
		for more := true; more; {
			line, more = t.line(line[:0], row)
			if err := writeTrimmed(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// line appends the first line of each cell, takes it away from the row, and reports whether
// there are more.
func (t *table) line(b []byte, row []string) (line []byte, more bool) {
	for i := range row {
		text, rest, isMore := strings.Cut(row[i], "\n")
		row[i], more = rest, more || isMore
		space := t.widths[i] - width(text)
		if t.align[i] == tw.AlignRight {
			b = append(appendSpaces(b, space), text...)
		} else {
			b = appendSpaces(append(b, text...), space)
		}
		b = append(b, padding...)
	}
	return append(b, '\n'), more
}

func appendSpaces(b []byte, n int) []byte {
	for range n {
		b = append(b, ' ')
	}
	return b
}

// writeTrimmed writes a line without spaces at its end.
func writeTrimmed(w io.Writer, line []byte) error {
	line = bytes.TrimSuffix(bytes.TrimRight(line, "\n"), []byte("\x1b[0m"))
	_, err := w.Write(append(bytes.TrimRight(line, " "), '\n'))
	return err
}

// layOut writes the headings and rows. A row more is laid out that is as wide as the table,
// and not written.
func (t *table) layOut(w io.Writer, rows [][]string) error {
	var text bytes.Buffer
	cells := tw.CellConfig{
		Alignment:  tw.CellAlignment{PerColumn: t.align},
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: padding, Overwrite: true}},
	}
	layout := tablewriter.NewTable(&text,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders: tw.BorderNone,
			Settings: tw.Settings{
				Separators: tw.Separators{BetweenColumns: tw.Off, BetweenRows: tw.Off},
				Lines:      tw.Lines{ShowHeaderLine: tw.Off},
			},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: cells, Row: cells, Behavior: tw.Behavior{TrimSpace: tw.Off},
		}),
	)
	layout.Header(t.headings)
	if err := layout.Bulk(append(slices.Clone(rows), t.widest)); err != nil {
		return err
	}
	if err := layout.Render(); err != nil {
		return err
	}
	all := bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	all = all[:bytes.LastIndexByte(all, '\n')+1]
	for line := range bytes.Lines(all) {
		if err := writeTrimmed(w, line); err != nil {
			return err
		}
	}
	return nil
}
