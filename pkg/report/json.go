// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"io"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// The names of these fields are promised in docs/json.md.
type (
	reportJSON struct {
		Meta   metaJSON    `json:"meta"`
		Totals totalsJSON  `json:"totals"`
		By     []string    `json:"by"`
		Exact  bool        `json:"exact"`
		Groups []groupJSON `json:"groups"`
	}

	metaJSON struct {
		*event.Meta
		DurationNS int64  `json:"duration_ns"`
		Cut        string `json:"cut,omitempty"`
	}

	totalsJSON struct {
		Drops   uint64     `json:"drops"`
		Bytes   uint64     `json:"bytes"`
		Unwound uint64     `json:"unwound"`
		Sampled uint64     `json:"sampled"`
		Read    uint64     `json:"read"`
		Lost    event.Loss `json:"lost"`
	}

	groupJSON struct {
		Key     map[string]string `json:"key"`
		Drops   uint64            `json:"drops"`
		Bytes   uint64            `json:"bytes"`
		Share   float64           `json:"share"`
		Rate    float64           `json:"drops_per_second"`
		Samples uint64            `json:"samples"`
		Exact   bool              `json:"exact"`
	}
)

// WriteJSON writes a Report as one document.
func WriteJSON(w io.Writer, r *Report) error {
	out := reportJSON{
		Meta: metaJSON{Meta: r.Meta, DurationNS: r.Duration.Nanoseconds()},
		Totals: totalsJSON{
			Drops: r.Drops, Bytes: r.Bytes, Unwound: r.Unwound,
			Sampled: r.Sampled.Sampled, Read: r.Sampled.Read, Lost: r.Loss,
		},
		By: r.By, Exact: r.Exact, Groups: []groupJSON{},
	}
	if r.Cut != nil {
		out.Meta.Cut = r.Cut.Error()
	}
	for _, g := range r.Groups {
		key := map[string]string{}
		for i, name := range r.By {
			key[name] = g.Key[i]
		}
		out.Groups = append(out.Groups, groupJSON{key, g.Drops, g.Bytes, g.Share, g.Rate, g.Samples, g.Exact})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
