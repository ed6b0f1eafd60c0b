// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"math"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// share writes part of total as pictures do.
func share(part, total uint64) string {
	percent := float64(part) / float64(total) * 100
	switch {
	case part == total:
		return "100%"
	case part == 0:
		return "0%"
	case percent < 0.01:
		return "<0.01%"
	case percent > 99.99:
		return ">99.99%"
	}
	return fixed(percent, 2) + "%"
}

// fixed writes a number with so many decimals, halves rounded up.
func fixed(v float64, decimals int) string { return new(big.Rat).SetFloat64(v).FloatString(decimals) }

// count writes a number with a comma between thousands.
func count(n uint64) string {
	text := strconv.FormatUint(n, 10)
	if n < 1000 {
		return text
	}
	return count(n/1000) + "," + text[len(text)-3:]
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return count(uint64(n)) + " " + word + "s"
}

// amount writes a value by a measure.
func amount(value uint64, by flamegraph.Measure) string {
	number := count(value)
	if v := float64(value) * by.Scale; by.Scale > 0 && (v >= 100 || v == 0) {
		number = count(uint64(math.Round(v)))
	} else if by.Scale > 0 {
		number = fixed(v, 2-int(math.Floor(math.Log10(v))))
	}
	return strings.TrimSpace(number + " " + by.Unit)
}

// label is what a frame's box is called.
func (m model) label(path string, column int, by flamegraph.Measure) string {
	name, value := leaf(path), m.value(path, column)
	if path == "" {
		name = "all"
	}
	return name + ", " + amount(value, by) + ", " + share(value, m.value("", column))
}

// layer returns what value the stacks of a category have, "other" for those in
// none: a stack is of the innermost of its frames that is in one.
func (m model) layer(name string, column int) (sum uint64) {
	for i, stack := range m.stacks {
		of := ""
		for path := stack; path != "" && of == ""; path = parent(path) {
			of = layerOf(leaf(path), "")
		}
		if of == name || of == "" && name == "other" {
			sum += m.values[i][column]
		}
	}
	return sum
}

// legend returns the entries of the legend.
func (m model) legend(column int) (keys []string) {
	for _, l := range append(layers[:len(layers):len(layers)], layer{name: "other"}) {
		if sum := m.layer(l.name, column); sum > 0 {
			keys = append(keys, l.name+" "+share(sum, m.value("", column)))
		}
	}
	return keys
}

// verdict is what a picture says of a search while at is zoomed to: how much
// lies in frames that match, each value once, and how many frames those are.
func (m model) verdict(pattern *regexp.Regexp, column int, at string) string {
	lo, hi := m.span(at, column)
	drawn := m.places(column, at)
	var all, view uint64
	frames, hidden := 0, 0
	for _, path := range m.paths(column) {
		if path == "" || !pattern.MatchString(leaf(path)) {
			continue
		}
		frames++
		from, to := m.span(path, column)
		if _, ok := drawn[path]; !ok && from < hi && to > lo {
			hidden++
		}
	}
	for i, stack := range m.stacks {
		for path := stack; path != ""; path = parent(path) {
			if !pattern.MatchString(leaf(path)) {
				continue
			}
			all += m.values[i][column]
			if holds(at, stack) {
				view += m.values[i][column]
			}
			break
		}
	}
	if frames == 0 {
		return "no frame matches"
	}
	words := share(all, m.value("", column)) + " matched"
	if at != "" {
		words += ", " + share(view, hi-lo) + " of this view"
	}
	words += " · " + plural(frames, "frame")
	if hidden > 0 {
		words += ", " + count(uint64(hidden)) + " too narrow to see"
	}
	return words
}
