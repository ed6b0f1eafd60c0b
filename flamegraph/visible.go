// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible returns text in characters that can be seen and that XML allows. A byte that is
// a control character or no UTF-8 becomes \x1b, another character that cannot be printed
// \u{202e}.
func visible(s string) string { return escape(s, false) }

// distinct returns a name as visible does, but so that no two names look alike: a
// backslash that could be taken for the start of what visible writes is doubled.
func distinct(s string) string { return escape(s, mistakable(s) || !printable(s)) }

func escape(s string, double bool) string {
	if !double && printable(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\\' && double:
			b.WriteString(`\\`)
		case r < utf8.RuneSelf && !unicode.IsPrint(r), r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u{%x}`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// mistakable reports whether a name has a backslash as visible writes them.
func mistakable(s string) bool {
	for i := 0; i+1 < len(s); i++ {
		if s[i] == '\\' && strings.IndexByte(`\xu`, s[i+1]) >= 0 {
			return true
		}
	}
	return false
}

// printable reports whether visible leaves s as it is.
func printable(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				return false
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) {
			return false
		}
		i += size
	}
	return true
}

// appendXML appends printable text with XML's special characters replaced, fit
// for content and for attributes in double quotes.
func appendXML(dst []byte, s string) []byte {
	from := 0
	for i := range len(s) {
		var entity string
		switch s[i] {
		case '&':
			entity = "&amp;"
		case '<':
			entity = "&lt;"
		case '>':
			entity = "&gt;"
		case '"':
			entity = "&quot;"
		default:
			continue
		}
		dst = append(append(dst, s[from:i]...), entity...)
		from = i + 1
	}
	return append(dst, s[from:]...)
}
