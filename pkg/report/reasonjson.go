// SPDX-License-Identifier: Apache-2.0

package report

import (
	"io"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// The names of these fields are promised in docs/json.md.
type (
	reasonsJSON struct {
		Kernel  *string      `json:"kernel"`
		Reasons []reasonJSON `json:"reasons"`
	}

	reasonJSON struct {
		Name       string           `json:"name"`
		Layer      dropreason.Layer `json:"layer"`
		Class      dropreason.Class `json:"class"`
		Catalogued bool             `json:"catalogued"`
		Code       *uint32          `json:"code"`
		Meaning    string           `json:"meaning"`
		Check      string           `json:"check"`
		Change     string           `json:"change"`
		Counters   []string         `json:"counters"`
		Sysctls    []sysctlJSON     `json:"sysctls"`
		Places     []placeJSON      `json:"places"`
	}

	placeJSON struct {
		Functions []string         `json:"functions"`
		Layer     dropreason.Layer `json:"layer"`
		Class     dropreason.Class `json:"class"`
		Meaning   string           `json:"meaning"`
		Check     string           `json:"check"`
		Change    string           `json:"change"`
		Counters  []string         `json:"counters"`
		Where     string           `json:"where,omitempty"`
		Source    string           `json:"source"`
	}

	sysctlJSON struct {
		Name   string            `json:"name"`
		Values map[string]string `json:"values"`
	}
)

// WriteReasonsJSON writes reasons as one document.
func WriteReasonsJSON(w io.Writer, r *Reasons) error {
	out := reasonsJSON{Reasons: []reasonJSON{}}
	if r.Kernel != "" {
		out.Kernel = &r.Kernel
	}
	for _, reason := range r.List {
		out.Reasons = append(out.Reasons, newReasonJSON(reason))
	}
	return encode(w, out)
}

func newReasonJSON(r Reason) reasonJSON {
	out := reasonJSON{
		Name: r.Name, Layer: r.Layer, Class: r.Class, Catalogued: r.Catalogued(), Code: r.Code,
		Meaning: r.Meaning, Check: r.Check, Change: r.Change,
		Counters: append([]string{}, r.Counters...), Sysctls: []sysctlJSON{}, Places: []placeJSON{},
	}
	for _, p := range r.Places {
		out.Places = append(out.Places, placeJSON{
			p.Functions, p.Layer, p.Class, p.Meaning, p.Check, p.Change, append([]string{}, p.Counters...), p.When, p.Source,
		})
	}
	for _, s := range r.Settings {
		values := map[string]string{}
		for _, v := range s.Values {
			values[v.Name] = v.Value
		}
		out.Sysctls = append(out.Sysctls, sysctlJSON{s.Name, values})
	}
	return out
}
