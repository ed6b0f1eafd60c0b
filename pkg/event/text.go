// SPDX-License-Identifier: Apache-2.0

package event

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text makes a string of a name the kernel stores as bytes up to the first zero:
// a comm or a device name, which may hold anything. Printable UTF-8 stays as it
// is, a backslash is doubled, and every other byte becomes \xNN, so that two
// names never look alike and none does anything to a terminal.
func Text(name []byte) string {
	if i := bytes.IndexByte(name, 0); i >= 0 {
		name = name[:i]
	}
	if isPlain(name) && bytes.IndexByte(name, '\\') < 0 {
		return string(name)
	}
	return escape(string(name), true)
}

// Printable returns a text that somebody else wrote, such as a name in a
// recording, with every byte escaped that is not part of a printable character.
// What Text made comes back unchanged.
func Printable(text string) string {
	if isPlain(text) {
		return text
	}
	return escape(text, false)
}

func isPlain[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func escape(text string, backslashes bool) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == '\\' && backslashes:
			b.WriteString(`\\`)
		case r == utf8.RuneError && size == 1, !unicode.IsPrint(r):
			for i := range size {
				fmt.Fprintf(&b, `\x%02x`, text[i])
			}
		default:
			b.WriteString(text[:size])
		}
		text = text[size:]
	}
	return b.String()
}
