// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"encoding/json"
	"strings"
)

// kindOf tells what a file is by its start, which may be all of it.
func kindOf(head []byte, whole bool) (Kind, error) {
	if isHeader(head) {
		return Recording, nil
	}
	if packingOf(head) != "" {
		return "", errPackedOften
	}
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for _, s := range signatures() {
		if s.matches(text) {
			return "", &ForeignError{What: s.what, Do: s.do}
		}
	}
	if is, err := isProto(head, whole); err != nil {
		return "", err
	} else if is || isLegacy(head) {
		return Profile, nil
	}
	if isBinary(head) {
		return "", &ForeignError{What: "binary data of a kind that is not known"}
	}
	if mostlyCR(head) {
		return "", &ForeignError{What: "text with lines that end in CR alone", Do: `convert it first, as with "tr '\r' '\n' < FILE | dropwatch flamegraph -"`}
	}
	return Folded, nil
}

// isHeader reports whether the first line begins like an object of type "header", in
// whatever order its members are and with any space between them. What is wrong with the
// rest of the line is told by who reads the recording.
func isHeader(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	decoder := json.NewDecoder(bytes.NewReader(line))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return false
	}
	for {
		name, err := decoder.Token()
		if err != nil {
			return false
		}
		key, ok := name.(string)
		if !ok {
			return false
		}
		if strings.EqualFold(key, "type") {
			kind, err := decoder.Token()
			return err == nil && kind == json.Token("header")
		}
		if decoder.Decode(new(json.RawMessage)) != nil {
			return false
		}
	}
}

// mostlyCR reports whether at least half of the lines end in CR alone. Such an end comes
// after a count: a CR elsewhere is part of a name.
func mostlyCR(head []byte) bool {
	n := 0
	for rest := head; ; {
		line, after, found := bytes.Cut(rest, []byte("\r"))
		if !found {
			break
		}
		rest = bytes.TrimLeft(after, "\r")
		if len(rest) > 0 && rest[0] != '\n' && endsInCount(line) {
			n++
		}
	}
	return n > 0 && n >= bytes.Count(head, []byte("\n"))
}

// endsInCount reports whether the last word of a line is a number and not the first.
func endsInCount(line []byte) bool {
	line = bytes.TrimRight(line, " \t")
	stack := bytes.TrimRight(line, "0123456789.")
	return len(stack) < len(line) && len(stack) > 0 && (stack[len(stack)-1] == ' ' || stack[len(stack)-1] == '\t')
}

// isBinary reports whether a tenth of a file is bytes that no text has: those below
// tab. Names of frames may have some.
func isBinary(head []byte) bool {
	const (
		some = 3
		most = 10 // percent
	)
	n := 0
	for _, c := range head {
		if c < '\t' {
			n++
		}
	}
	return n > some && 100*n > most*len(head) && !isUTF16(head)
}

// isUTF16 recognises text that is told about by flamegraph.Parse.
func isUTF16(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return true
	}
	if len(head) < 4 {
		return false
	}
	return (head[0] == 0 && head[2] == 0) != (head[1] == 0 && head[3] == 0)
}
