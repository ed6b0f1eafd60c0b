// SPDX-License-Identifier: Apache-2.0

package report

import "strings"

// wrap cuts a text into lines of so many characters: between words, and within words
// that are longer than a line.
func wrap(text string, width int) []string {
	var lines []string
	var line []rune
	for _, s := range strings.Fields(text) {
		word := []rune(s)
		if len(line) > 0 && len(line)+1+len(word) > width {
			lines, line = append(lines, string(line)), nil
		}
		for ; len(word) > width; word = word[width:] {
			lines = append(lines, string(word[:width]))
		}
		if len(line) > 0 {
			line = append(line, ' ')
		}
		line = append(line, word...)
	}
	return append(lines, string(line))
}
