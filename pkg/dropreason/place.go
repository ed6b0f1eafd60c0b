// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Place is what a reason stands for where certain kernel functions free packets with
// it, if that is not what it stands for elsewhere.
type Place struct {
	// Info is the whole of what is known there, under the reason's name.
	Info
	// Functions are the kernel functions that the packets are freed in. The slice is
	// shared and must not be changed.
	Functions []string
	// Source cites the kernel: file, function and the releases that were read.
	Source string
}

// At returns what is known of a reason where a kernel function frees packets with it:
// a Place of the reason if there is one for the function, else what Lookup returns.
// The function is the symbol of the location without its offset; what compilers append
// to it after a dot (.isra.0, .part.0, .cold) does not count. An inferred reason is
// looked up by its name, as one that the kernel stated.
func At(reason, function string) Info {
	function, _, _ = strings.Cut(function, ".")
	if place, ok := placesByFunction()[at{canonical(reason), function}]; ok {
		info := place.Info
		info.Name = reason
		return info
	}
	return Lookup(reason)
}

// Places returns the places at which a reason stands for something else than Lookup
// returns, in the order of the table; nil if there are none.
func Places(reason string) []Place {
	var some []Place
	for _, p := range places {
		if p.reason != canonical(reason) {
			continue
		}
		place := p.place()
		place.Name = reason
		some = append(some, place)
	}
	return some
}

// at is a reason, as the catalogue spells it, and a function.
type at struct{ reason, function string }

var placesByFunction = sync.OnceValue(func() map[at]Place {
	byFunction := make(map[at]Place)
	for _, p := range places {
		place := p.place()
		for _, function := range p.functions {
			byFunction[at{p.reason, function}] = place
		}
	}
	return byFunction
})

// canonical returns the name that the catalogue has a reason under.
func canonical(reason string) string {
	i := slices.IndexFunc(spellings, func(s spelling) bool { return s.name == reason })
	if i < 0 {
		return reason
	}
	return spellings[i].same
}

// placed is a row of the table of places.
type placed struct {
	reason    string
	functions []string
	source    string
	layer     Layer // empty: the reason's
	class     Class
	meaning   string
	check     string // as of Info; of class and meaning, not of the reason
	change    string
	counters  []string // nil: those of the reason; empty: none
	sysctls   []string // likewise
}

func (p placed) place() Place {
	info := Lookup(p.reason)
	info.Layer = cmp.Or(p.layer, info.Layer)
	info.Class, info.Meaning, info.Check, info.Change = p.class, p.meaning, p.check, p.change
	if p.counters != nil {
		info.Counters = slices.Clip(p.counters)
	}
	if p.sysctls != nil {
		info.Sysctls = slices.Clip(p.sysctls)
	}
	return Place{Info: info, Functions: p.functions, Source: p.source}
}
