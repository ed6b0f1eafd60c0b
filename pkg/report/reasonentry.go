// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// WriteReasonText writes all that is known of each reason, in so many columns.
func WriteReasonText(w io.Writer, r *Reasons, width int, inColor bool) error {
	var b strings.Builder
	for i, reason := range r.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		name := reason.Name
		if inColor {
			name = paint(reason.Class, name)
		}
		fmt.Fprintln(&b, name)
		for _, f := range facts(reason, r.Kernel) {
			f.write(&b, width)
		}
		for _, place := range reason.Places {
			b.WriteByte('\n')
			fmt.Fprintln(&b, strings.Join(wrap(name+" at "+strings.Join(place.Functions, ", "), width), "\n"))
			for _, f := range placeFacts(place) {
				f.write(&b, width)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// fact is a term and what is said of it, a paragraph each.
type fact struct {
	term       string
	paragraphs []string
}

func (f fact) write(b *strings.Builder, width int) {
	const indent = len("  counters  ")
	term := f.term
	for _, p := range f.paragraphs {
		for _, line := range wrap(p, max(narrowest, width-indent)) {
			fmt.Fprintf(b, "  %-*s%s\n", indent-2, term, line)
			term = ""
		}
	}
}

// facts returns what to print of a reason; nothing is said of what there is none of.
func facts(r Reason, kernel string) []fact {
	all := []fact{
		{"meaning", []string{meaning(r)}},
		class(r.Info),
		{"layer", []string{string(r.Layer)}},
		{"code", []string{code(r, kernel)}},
		{"counters", r.Counters},
	}
	all = append(all, advice(r.Info)...)
	var sysctls []string
	for _, s := range r.Settings {
		sysctls = append(sysctls, setting(s))
	}
	return append(all, fact{"sysctls", sysctls})
}

// placeFacts returns what to print of a reason at a place.
func placeFacts(p dropreason.Place) []fact {
	all := []fact{
		{"meaning", []string{p.Meaning}},
		class(p.Info),
		{"layer", []string{string(p.Layer)}},
		{"counters", p.Counters},
	}
	all = append(all, advice(p.Info)...)
	if p.When != "" {
		all = append(all, fact{"where", []string{p.When}})
	}
	return append(all, fact{"source", []string{p.Source}})
}

func class(i dropreason.Info) fact {
	return fact{"class", []string{string(i.Class) + ": " + i.Class.Meaning()}}
}

func advice(i dropreason.Info) (all []fact) {
	switch {
	case i.Class == dropreason.ClassBenign:
		all = append(all, fact{"check", []string{"nothing: nobody misses these packets"}})
	case i.Check != "":
		all = append(all, fact{"check", strings.Split(i.Check, "; ")})
	}
	if i.Change != "" {
		all = append(all, fact{"change", []string{i.Change}})
	}
	return all
}

func code(r Reason, kernel string) string {
	switch {
	case kernel == "":
		return "unknown here"
	case r.Code == nil:
		return fmt.Sprintf("none in this kernel, %s, and its loaded modules", kernel)
	}
	return fmt.Sprintf("%d in this kernel, %s", *r.Code, kernel)
}

// setting spells "name = value", or each value with the interfaces that have it.
func setting(s Setting) string {
	switch {
	case len(s.Values) == 0:
		return s.Name + ": unknown here"
	case s.Values[0].For == "":
		return s.Name + " = " + s.Values[0].Value
	}
	var values []string
	interfaces := map[string][]string{}
	for _, v := range s.Values {
		if interfaces[v.Value] == nil {
			values = append(values, v.Value)
		}
		interfaces[v.Value] = append(interfaces[v.Value], v.For)
	}
	for i, v := range values {
		values[i] = v + " for " + several(interfaces[v])
	}
	return s.Name + " = " + strings.Join(values, "; ")
}

// several lists names, the first ones of many.
func several(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
