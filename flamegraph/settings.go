// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "strconv"

// settings is what the script needs besides the tree.
type settings struct {
	Title    string           `json:"title"`
	Subtitle string           `json:"subtitle"`
	Notes    []string         `json:"notes"`
	Icicle   bool             `json:"icicle"`
	MinShare float64          `json:"minShare"`
	Nodes    int              `json:"nodes"`
	Columns  int              `json:"columns"`
	Measures []measureSetting `json:"measures"`
	Measure  int              `json:"measure"`
	Kinds    []kind           `json:"kinds"`
	Changes  []kind           `json:"changes"`
	// About has terms and texts of looks, by their index.
	About map[string][][2]string `json:"about"`
	Page  dimensions             `json:"page"`
}

type measureSetting struct {
	Name   string         `json:"name"`
	Unit   string         `json:"unit"`
	Column int            `json:"column"`
	Scale  float64        `json:"scale"`
	Change *changeSetting `json:"change"`
}

type changeSetting struct {
	From     int     `json:"from"`
	To       int     `json:"to"`
	FromName string  `json:"fromName"`
	ToName   string  `json:"toName"`
	Least    float64 `json:"least"`
}

// newSettings takes the looks in the order in which the file has them.
func newSettings(g *Graph, o Options, p palette, looks []uint32) settings {
	s := settings{
		Title: visible(o.Title), Subtitle: visible(o.Subtitle), Notes: []string{},
		Icicle: o.Icicle, MinShare: o.MinShare, Nodes: len(g.nodes), Columns: len(g.axes),
		Measure: o.Measure, Changes: changeKinds, About: map[string][][2]string{}, Page: newDimensions(),
	}
	for _, note := range o.Notes {
		s.Notes = append(s.Notes, visible(note))
	}
	for _, m := range o.measures() {
		s.Measures = append(s.Measures, newMeasureSetting(m))
	}
	for _, k := range p.kinds {
		s.Kinds = append(s.Kinds, kind{visible(k.Name), k.Class})
	}
	for i, at := range looks {
		for _, fact := range p.looks[at].facts {
			key := strconv.Itoa(i)
			s.About[key] = append(s.About[key], [2]string{visible(fact.Term), visible(fact.Text)})
		}
	}
	return s
}

func newMeasureSetting(m Measure) measureSetting {
	s := measureSetting{Name: visible(m.Name), Unit: visible(m.Unit), Column: m.Column, Scale: m.scale()}
	if c := m.Change; c != nil {
		s.Change = &changeSetting{c.From, c.To, visible(c.FromName), visible(c.ToName), c.Least}
	}
	return s
}
