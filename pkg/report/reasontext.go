// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/spell"
)

// narrowest is how many columns meanings have at least, however narrow the terminal.
const narrowest = 20

// uncatalogued is said of reasons that are newer than the catalogue.
const uncatalogued = "not in the catalogue: newer than this dropwatch"

// WriteReasonsText writes reasons as a table of so many columns.
func WriteReasonsText(w io.Writer, r *Reasons, width int, inColor bool) error {
	var b strings.Builder
	room := max(narrowest, width-besideMeaning(r))
	t := newTable([]string{"name", "layer", "class", "meaning"}, 0, 0)
	for _, reason := range r.List {
		name := reason.Name
		if inColor {
			name = paint(reason.Class, name)
		}
		meaning := strings.Join(wrap(meaning(reason), room), "\n")
		t.row([]string{name, string(reason.Layer), string(reason.Class), meaning})
	}
	if len(r.List) > 0 {
		if err := t.write(&b); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	said := spell.Plural(uint64(len(r.List)), "reason")
	if r.Kernel != "" {
		said += fmt.Sprintf(", %d of them in this kernel, %s", r.here(), r.Kernel)
	}
	said += "; dropwatch reasons NAME tells what to check and to change"
	fmt.Fprintln(&b, strings.Join(wrap(said, width), "\n"))
	_, err := io.WriteString(w, b.String())
	return err
}

// besideMeaning returns how many columns the others take, with their gaps.
func besideMeaning(r *Reasons) int {
	name, layer, class := len("name"), len("layer"), len("class")
	for _, reason := range r.List {
		name = max(name, len(reason.Name))
		layer = max(layer, len(reason.Layer))
		class = max(class, len(reason.Class))
	}
	return name + layer + class + 3*2
}

func meaning(r Reason) string {
	if !r.Catalogued() {
		return uncatalogued
	}
	return r.Meaning
}
