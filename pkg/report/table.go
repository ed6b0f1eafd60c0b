// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"io"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"
)

// table is aligned columns under upper-case headings, without lines: some columns
// next to each other numbers, the others text.
type table struct {
	text  bytes.Buffer
	table *tablewriter.Table
	rows  [][]string
}

// newTable returns a table whose columns from first up to end are numbers.
func newTable(columns []string, first, end int) *table {
	align := make([]tw.Align, len(columns))
	headings := make([]string, len(columns))
	for i, name := range columns {
		align[i] = tw.AlignLeft
		if i >= first && i < end {
			align[i] = tw.AlignRight
		}
		headings[i] = strings.ToUpper(name)
	}
	cells := tw.CellConfig{
		Alignment:  tw.CellAlignment{PerColumn: align},
		Formatting: tw.CellFormatting{AutoFormat: tw.Off, AutoWrap: tw.WrapNone},
		Padding:    tw.CellPadding{Global: tw.Padding{Right: "  ", Overwrite: true}},
	}
	t := &table{}
	t.table = tablewriter.NewTable(&t.text,
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
	t.table.Header(headings)
	return t
}

func (t *table) row(cells []string) { t.rows = append(t.rows, cells) }

// write writes the table without spaces at the ends of lines.
func (t *table) write(w io.Writer) error {
	if err := t.table.Bulk(t.rows); err != nil {
		return err
	}
	if err := t.table.Render(); err != nil {
		return err
	}
	for line := range bytes.Lines(t.text.Bytes()) {
		line = bytes.TrimSuffix(bytes.TrimRight(line, "\n"), []byte("\x1b[0m"))
		if _, err := w.Write(append(bytes.TrimRight(line, " "), '\n')); err != nil {
			return err
		}
	}
	return nil
}
