// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Place is what a reason stands for where certain kernel functions free packets with
// it, if that is not what it stands for elsewhere.
type Place struct {
	// Info is the whole of what is known there, under the reason's name. No setting that
	// the reason depends on elsewhere matters there.
	Info
	// Functions are the kernel functions that the packets are freed in. The slice is
	// shared and must not be changed.
	Functions []string
	// Source cites the kernel: file, function and the releases that were read.
	Source string
	// When says of which kernels or packets alone it holds, as of the others the reason
	// tells less there; empty if it holds of all.
	When string
}

// At returns what is known of a reason where a kernel function frees packets with it:
// a Place of the reason if there is one for the function, else what Lookup returns.
// The function is the symbol of the location without its offset; what compilers append
// to it after a dot (.isra.0, .part.0, .cold) does not count. An inferred reason is
// looked up by its name, as one that the kernel stated.
//
// At functions that free parts of packets, whatever the reason, the class is ClassPart.
func At(reason, function string) Info {
	if freesParts(function) {
		return Info{Name: reason, Layer: LayerCore, Class: ClassPart, Meaning: partMeaning}
	}
	if p := placeAt(reason, function); p != nil {
		info := p.info
		info.Name = reason
		return info
	}
	return Lookup(reason)
}

// Of returns what is known of a cell's reason where its packets were freed: At, or Lookup
// where this kernel may mean something else by it there.
func Of(cell *event.Cell) Info { return At(cell.Reason.Name, cell.Place()) }

// placeAt returns nil if there is no place.
func placeAt(reason, function string) *knownPlace {
	name, _, _ := strings.Cut(function, ".")
	return placesByFunction()[at{canonical(reason), name}]
}

// knownPlace is what the table has of a function.
type knownPlace struct {
	info Info
	when []condition
}

// Vague reports whether this kernel, freeing a packet at a function with the reason of
// that name, may mean something else than the Place of it: there is one that holds of
// some kernels or packets, and this is none of them.
func (n *Names) Vague(reason, function string, to Audience) bool {
	place := placeAt(reason, function)
	if place == nil || len(place.when) == 0 {
		return false
	}
	return !slices.ContainsFunc(place.when, func(c condition) bool {
		return (c.word == "" || n.knows(c.word)) && (c.lacks == "" || !n.knows(c.lacks)) && to >= c.to
	})
}

// An Audience is whom a packet was sent to.
type Audience int

const (
	// One host, or nobody knows.
	One Audience = iota
	// Group: all or several, by the link-layer address.
	Group
	// Neighbours: Group, by a message of IGMP or ICMPv6: reports of groups, solicitations
	// and advertisements, which are repeated (RFC 3376, 3810, 4861).
	Neighbours
)

// Conditional reports whether what a reason stands for at a function depends on more
// than the two.
func Conditional(reason, function string) bool {
	place := placeAt(reason, function)
	return place != nil && len(place.when) > 0
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

var placesByFunction = sync.OnceValue(func() map[at]*knownPlace {
	byFunction := make(map[at]*knownPlace)
	for _, p := range places {
		place := &knownPlace{p.place().Info, p.when}
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
	// when has the kernels or packets of which it holds: any one of these; all if empty.
	when []condition
}

// condition is what a kernel or a packet must be like.
type condition struct {
	// word is a reason that the kernel must know. Releases come without a number here:
	// vendors take reasons back into older kernels together with their use.
	word  string
	lacks string // a reason that it must not know
	to    Audience
}

// String says it in words.
func (c condition) String() string {
	var parts []string
	if c.word != "" {
		parts = append(parts, "the kernel knows "+c.word)
	}
	if c.lacks != "" {
		parts = append(parts, "the kernel does not know "+c.lacks)
	}
	switch c.to {
	case Group:
		parts = append(parts, "the frame went to all or a group")
	case Neighbours:
		parts = append(parts, "it is a message of IGMP or ICMPv6 to a group")
	}
	return strings.Join(parts, " and ")
}

func (p placed) place() Place {
	info := Lookup(p.reason)
	info.Layer = cmp.Or(p.layer, info.Layer)
	info.Class, info.Meaning, info.Check, info.Change = p.class, p.meaning, p.check, p.change
	if p.counters != nil {
		info.Counters = slices.Clip(p.counters)
	}
	info.Sysctls = nil
	var when []string
	for _, c := range p.when {
		when = append(when, c.String())
	}
	return Place{Info: info, Functions: p.functions, Source: p.source, When: strings.Join(when, ", or ")}
}
