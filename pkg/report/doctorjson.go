// SPDX-License-Identifier: Apache-2.0

package report

import (
	"io"
	"time"

	"github.com/dropwatch/dropwatch/pkg/finding"
)

// The names of these fields are promised in docs/json.md.
type (
	doctorJSON struct {
		Host       string        `json:"host"`
		Kernel     string        `json:"kernel"`
		Start      time.Time     `json:"start"`
		DurationNS int64         `json:"duration_ns"`
		Hooks      []hookJSON    `json:"hooks"`
		Limits     []limitJSON   `json:"limits"`
		Blind      []string      `json:"invisible"`
		Notes      []string      `json:"notes"`
		Findings   []findingJSON `json:"findings"`
		Ledger     []rowJSON     `json:"ledger"`

		Totals *explainedJSON `json:"totals"`
	}

	hookJSON struct {
		Hook string `json:"hook"`
		Rung string `json:"rung"`
		OK   bool   `json:"ok"`
		Why  string `json:"why,omitempty"`
	}

	limitJSON struct {
		Name  string `json:"name"`
		Value string `json:"value"`
		Limit string `json:"limit"`
	}

	findingJSON struct {
		ID       string           `json:"id"`
		Severity finding.Severity `json:"severity"`
		Device   string           `json:"device"`
		Netns    string           `json:"netns"`
		Evidence map[string]any   `json:"evidence"`
		Explain  string           `json:"explain"`
		Fix      []string         `json:"fix"`
		Persist  []string         `json:"persist"`
		Undo     []string         `json:"undo"`
		Cost     string           `json:"cost"`
	}
)

// WriteDoctorJSON writes the same as one document.
func WriteDoctorJSON(w io.Writer, d *Doctor) error {
	out := doctorJSON{
		Host: d.Host, Kernel: d.Kernel, Start: d.Start, DurationNS: d.Duration.Nanoseconds(),
		Hooks: []hookJSON{}, Limits: []limitJSON{}, Blind: list(d.Blind), Notes: list(d.Notes),
		Findings: []findingJSON{}, Ledger: ledgerJSON(d.Ledger), Totals: newExplainedJSON(d.Ledger),
	}
	for _, t := range d.Hooks {
		out.Hooks = append(out.Hooks, hookJSON{t.Name, t.Rung, t.Why == "", t.Why})
	}
	for _, f := range d.Facts {
		out.Limits = append(out.Limits, limitJSON(f))
	}
	for _, f := range d.Findings {
		evidence := map[string]any{}
		for _, fact := range f.Evidence {
			evidence[fact.Name] = fact.Value
		}
		out.Findings = append(out.Findings, findingJSON{
			f.ID, f.Severity, f.Device, f.Netns.String(), evidence, f.Explain,
			list(f.Fix), list(f.Persist), list(f.Undo), f.Cost,
		})
	}
	return encode(w, out)
}

// list returns lines as a list also if there are none.
func list(lines []string) []string { return append([]string{}, lines...) }
