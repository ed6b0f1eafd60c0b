// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"hash/fnv"
	"strconv"
)

// Color is one of a fixed set of fills. They can be told apart with any common
// kind of color blindness and carry readable text, on light and dark pages.
type Color uint8

// The colors. Gray is the quietest, for what needs no attention.
const (
	Gray Color = iota
	Blue
	Orange
	Green
	Purple
	Yellow
	Sky
	Red
	Teal
	Pink
	Olive
	Brown
	colors
)

// class returns the color's class in style.css.
func (c Color) class() string { return "c" + strconv.Itoa(int(c%colors)) }

// shades is how many classes style.css has for frames without categories.
const shades = 8

// shade returns a frame's class number, which depends on its name only.
func shade(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(name))
	// The low bits of FNV-1a alone are poorly mixed.
	sum := h.Sum32()
	return (sum ^ sum>>15) * 0x9e3779b1 >> 16 % shades
}
