// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"math"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// A model tells what a picture of samples has to show, from the samples alone.
// Frames are named by their paths: "a;b" is b below a, "" the root.
type model struct {
	stacks []string
	values [][]uint64 // of every stack, by column
}

func newModel(samples []flamegraph.Sample) model {
	samples = slices.SortedFunc(slices.Values(samples), func(x, y flamegraph.Sample) int { return slices.Compare(x.Stack, y.Stack) })
	var m model
	for _, s := range samples {
		m.stacks = append(m.stacks, strings.Join(s.Stack, ";"))
		m.values = append(m.values, append([]uint64{s.Value}, s.More...))
	}
	return m
}

// holds tells whether a frame is on the way to another one or is that itself.
func holds(path, other string) bool {
	return path == "" || other == path || strings.HasPrefix(other, path+";")
}

// parent returns the path of a frame's parent.
func parent(path string) string { return path[:max(0, strings.LastIndex(path, ";"))] }

// leaf returns a frame's name.
func leaf(path string) string { return path[strings.LastIndex(path, ";")+1:] }

// span returns where a frame begins and ends, in values of a column.
func (m model) span(path string, column int) (from, to uint64) {
	found := false
	var sum uint64
	for i, stack := range m.stacks {
		if holds(path, stack) {
			if !found {
				from, to, found = sum, sum, true
			}
			to += m.values[i][column]
		}
		sum += m.values[i][column]
	}
	return from, to
}

// value returns what a frame stands for.
func (m model) value(path string, column int) uint64 {
	from, to := m.span(path, column)
	return to - from
}

// paths returns all frames that have a value, the root among them.
func (m model) paths(column int) []string {
	seen := map[string]bool{"": true}
	for i, stack := range m.stacks {
		for path := stack; m.values[i][column] > 0 && !seen[path]; path = parent(path) {
			seen[path] = true
		}
	}
	var all []string
	for path := range seen {
		all = append(all, path)
	}
	return all
}

// place is where a box begins and how wide it is, in pixels.
type place struct{ X, Width float64 }

// pixels is how much of a window's width frames take.
const pixels = windowWidth - 2*12

// places returns the frames at least two pixels wide when at is zoomed to.
func (m model) places(column int, at string) map[string]place {
	lo, hi := m.span(at, column)
	scale := pixels / float64(hi-lo)
	edge := func(value uint64) float64 { return math.Round(float64(value-lo)*scale*100) / 100 }
	all := make(map[string]place)
	var right func(path string) float64
	right = func(path string) float64 {
		from, to := m.span(path, column)
		end := edge(min(to, hi))
		if end-edge(max(from, lo)) >= 4 {
			end-- // the gap between boxes
		}
		if path != "" {
			end = min(end, right(parent(path)))
		}
		return end
	}
	for _, path := range m.paths(column) {
		from, to := m.span(path, column)
		from, to = max(from, lo), min(to, hi)
		if from >= to || float64(to-from)*scale < 2 {
			continue
		}
		all[path] = place{edge(from), right(path) - edge(from)}
	}
	return all
}
