// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "strings"

// How wide letters are, in pixels, for drawing without a browser's help. The
// script measures instead.
const (
	frameLetter = 7.25 // 12 px, fixed width
	titleLetter = 11.5 // 20 px
	smallLetter = 7.0  // 13 px
)

// letters returns how many letters of Latin width s takes.
func letters(s string) int {
	n := 0
	for _, r := range s {
		n += letterWidth(r)
	}
	return n
}

// letterWidth is 1 for the scripts up to Hangul and 2 from there on, which is
// true for East Asian scripts and symbols and enough for others.
func letterWidth(r rune) int {
	if r < 0x1100 {
		return 1
	}
	return 2
}

// prefix returns the longest start of s that takes at most so many letters.
func prefix(s string, most int) string {
	n := 0
	for i, r := range s {
		if n += letterWidth(r); n > most {
			return s[:i]
		}
	}
	return s
}

// fit cuts s to a number of letters, the last of which is then an ellipsis.
func fit(s string, most int) string {
	if len(s) <= most || letters(s) <= most {
		return s
	}
	return prefix(s, most-1) + "…"
}

// wrap breaks s into lines of at most so many letters, between words where
// possible.
func wrap(s string, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && letters(line)+1+letters(word) <= most {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for letters(word) > most {
			head := prefix(word, most)
			lines, word = append(lines, head), word[len(head):]
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
