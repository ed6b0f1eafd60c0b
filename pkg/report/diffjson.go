// SPDX-License-Identifier: Apache-2.0

package report

import (
	"io"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// The names of these fields are promised in docs/json.md.
type (
	diffJSON struct {
		A          sideJSON     `json:"a"`
		B          sideJSON     `json:"b"`
		Recordings []sideJSON   `json:"recordings"`
		By         []string     `json:"by"`
		ByFunction bool         `json:"by_function"`
		MinChange  float64      `json:"min_change"`
		Exact      bool         `json:"exact"`
		Total      trendJSON    `json:"total"`
		Count      int          `json:"count"`
		Groups     []changeJSON `json:"groups"`
	}

	sideJSON struct {
		Name  string     `json:"name"`
		Meta  metaJSON   `json:"meta"`
		Drops uint64     `json:"drops"`
		Rate  float64    `json:"drops_per_second"`
		Lost  event.Loss `json:"lost"`

		Missing uint64   `json:"missing,omitempty"`
		Benign  uint64   `json:"benign"`
		Parts   uint64   `json:"parts"`
		Unseen  uint64   `json:"unseen"`
		Remarks []string `json:"remarks,omitempty"`
	}

	trendJSON struct {
		ARate float64               `json:"a_rate"`
		BRate float64               `json:"b_rate"`
		Delta float64               `json:"delta_rate"`
		Class profile.ChangeClass   `json:"class"`
		Rates []float64             `json:"rates"`
		Steps []profile.ChangeClass `json:"steps"`
	}

	changeJSON struct {
		Key      map[string]string `json:"key"`
		Inferred bool              `json:"inferred,omitempty"`
		trendJSON
		Exact bool `json:"exact"`
	}
)

// WriteDiffJSON writes a Comparison as one document.
func WriteDiffJSON(w io.Writer, c *profile.Comparison) error {
	out := diffJSON{
		By: c.By, ByFunction: c.ByFunction, MinChange: c.MinChange, Exact: c.Exact,
		Total: newTrendJSON(c.Total), Count: c.Count, Groups: []changeJSON{},
	}
	for _, s := range c.Sides {
		out.Recordings = append(out.Recordings, sideJSON{
			s.Name, newMetaJSON(s.Meta, s.Duration, s.Cut), s.Total.Drops, s.Rate(), s.Loss, s.Missing, s.Benign, s.Parts, s.Unseen, s.Remarks,
		})
	}
	out.A, out.B = out.Recordings[0], out.Recordings[len(out.Recordings)-1]
	for _, change := range c.Changes {
		reason, _ := reasonOf(c.By, change.Key)
		out.Groups = append(out.Groups, changeJSON{keyJSON(c.By, change.Key), reason.Inferred, newTrendJSON(change.Trend), change.Exact})
	}
	return encode(w, out)
}

func newTrendJSON(t profile.Trend) trendJSON {
	return trendJSON{t.Rates[0], t.Rates[len(t.Rates)-1], t.Delta, t.Class, t.Rates, t.Steps}
}
