// SPDX-License-Identifier: Apache-2.0

package dropreason

import "strings"

// fewestShared is how many letters two names share at least to be called similar.
const fewestShared = 3

// Spell returns a name as the catalogue spells it: upper case, without
// SKB_DROP_REASON_.
func Spell(name string) string {
	return strings.TrimPrefix(strings.ToUpper(strings.TrimSpace(name)), "SKB_DROP_REASON_")
}

// Similar returns those names that hold the text; if none does, those that begin
// with as much of it as any name does, three letters at least.
func Similar(text string, names []string) []string {
	match := strings.Contains
	for text = Spell(text); len(text) >= fewestShared; text = text[:len(text)-1] {
		var similar []string
		for _, name := range names {
			if match(name, text) {
				similar = append(similar, name)
			}
		}
		if similar != nil {
			return similar
		}
		match = strings.HasPrefix
	}
	return nil
}
