// SPDX-License-Identifier: Apache-2.0

package report

import (
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// The names of these fields are promised in docs/json.md.
type (
	reportJSON struct {
		Meta   metaJSON       `json:"meta"`
		Totals totalsJSON     `json:"totals"`
		By     []string       `json:"by"`
		Exact  bool           `json:"exact"`
		Groups groupsJSON     `json:"groups"`
		Stalls []stallSumJSON `json:"stalls"`
		Ledger []rowJSON      `json:"ledger"`
	}

	metaJSON struct {
		*event.Meta
		DurationNS int64  `json:"duration_ns"`
		Cut        string `json:"cut,omitempty"`
	}

	totalsJSON struct {
		Drops    uint64     `json:"drops"`
		Bytes    uint64     `json:"bytes"`
		Segments uint64     `json:"segments"`
		Benign   uint64     `json:"benign"`
		Parts    uint64     `json:"parts"`
		Unseen   uint64     `json:"unseen"`
		Unwound  uint64     `json:"unwound"`
		Sampled  uint64     `json:"sampled"`
		Read     uint64     `json:"read"`
		Missing  uint64     `json:"missing,omitempty"`
		Lost     event.Loss `json:"lost"`

		Ledger *explainedJSON `json:"ledger"` // null: counters were not read
	}

	groupsJSON struct{ *Report } // its groups, each written before the next is made

	groupJSON struct {
		Key   map[string]string `json:"key"`
		Class dropreason.Class  `json:"class,omitempty"` // absent if the drops are of several

		Classes  map[dropreason.Class]uint64 `json:"classes,omitempty"` // then
		Inferred bool                        `json:"inferred,omitempty"`
		Drops    uint64                      `json:"drops"`
		Bytes    uint64                      `json:"bytes"`
		Segments uint64                      `json:"segments"`
		Share    float64                     `json:"share"`
		Rate     float64                     `json:"drops_per_second"`
		Samples  uint64                      `json:"samples"`
		Exact    bool                        `json:"exact"`
	}
)

// WriteJSON writes a Report as one document.
func WriteJSON(w io.Writer, r *Report) error {
	out := reportJSON{
		Meta: newMetaJSON(r.Meta, r.Duration, r.Cut),
		Totals: totalsJSON{
			Drops: r.Drops, Bytes: r.Bytes, Segments: r.Segments, Benign: r.Drops - r.Lost.Drops, Parts: r.Parts, Unseen: r.Unseen, Unwound: r.Unwound,
			Sampled: r.Sampled.Sampled, Read: r.Sampled.Read, Missing: r.Missing, Lost: r.Loss,
			Ledger: newExplainedJSON(r.Ledger),
		},
		By: r.By, Exact: r.Exact, Groups: groupsJSON{r}, Stalls: r.Stalls.sums.rowsJSON(), Ledger: ledgerJSON(r.Ledger),
	}
	return encode(w, out)
}

// MarshalJSONTo implements json.MarshalerTo.
func (r groupsJSON) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, g := range r.Groups {
		group := groupJSON{keyJSON(r.By, g.Key), g.Class, g.Classes, g.Inferred, g.Drops, g.Bytes, g.Segments, g.Share, g.Rate, g.Samples, g.Exact}
		if err := json.MarshalEncode(enc, group); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndArray)
}

func newMetaJSON(meta *event.Meta, d time.Duration, cut *event.CutError) metaJSON {
	out := metaJSON{Meta: meta, DurationNS: d.Nanoseconds()}
	if cut != nil {
		out.Cut = cut.Error()
	}
	return out
}

func keyJSON(by, key []string) map[string]string {
	values := map[string]string{}
	for i, name := range by {
		values[name] = key[i]
	}
	if reason, ok := reasonOf(by, key); ok {
		values["reason"] = reason.Name
	}
	return values
}

// encode writes a document as encoding/json does, without holding all of its text.
func encode(w io.Writer, document any) error {
	err := json.MarshalWrite(w, document, jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "\n")
	return err
}
