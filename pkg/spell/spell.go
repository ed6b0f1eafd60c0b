// SPDX-License-Identifier: Apache-2.0

// Package spell writes numbers as people read them.
package spell

import (
	"fmt"
	"strings"
)

// Plural writes a number of things, "1 drop" or "1,234 drops".
func Plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return Thousands(n) + " " + noun + "s"
}

// Thousands writes a number with separators, 1,234,567.
func Thousands(n uint64) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
