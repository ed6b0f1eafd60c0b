// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"encoding/binary"
	"errors"
)

// field is one field of a protocol buffers message.
type field struct {
	number, wire int
	body         []byte // of wire type 2
	value        uint64 // of wire type 0
}

// Wire types, https://protobuf.dev/programming-guides/encoding/.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

// next returns the first field of a message and what comes after it. cut says that
// the message ends within it.
func next(data []byte) (f field, rest []byte, cut, ok bool) {
	tag, n := binary.Uvarint(data)
	if n <= 0 {
		return field{}, nil, n == 0, false
	}
	data = data[n:]
	f.number, f.wire = int(tag>>3), int(tag&7)
	if tag>>3 > 1<<29 {
		return field{}, nil, false, false
	}
	size := 0
	switch f.wire {
	case wireVarint:
		f.value, n = binary.Uvarint(data)
		if n <= 0 {
			return field{}, nil, n == 0, false
		}
		return f, data[n:], false, true
	case wireBytes:
		length, n := binary.Uvarint(data)
		if n <= 0 {
			return field{}, nil, n == 0, false
		}
		data = data[n:]
		if length > uint64(len(data)) {
			return f, nil, true, false
		}
		size = int(length)
		f.body = data[:size]
	case wire64:
		size = 8
	case wire32:
		size = 4
	default:
		return field{}, nil, false, false
	}
	if size > len(data) {
		return f, nil, true, false
	}
	return f, data[size:], false, true
}

// The fields of a profile (profile.proto), by their number.
const (
	sampleType  = 1
	sample      = 2
	mapping     = 3
	location    = 4
	function    = 5
	stringTable = 6
	lastField   = 15
)

// wireOf returns the wire type of a profile's field. Comments may also be apart.
func wireOf(number int) int {
	switch number {
	case sampleType, sample, mapping, location, function, stringTable, 11, 13:
		return wireBytes
	}
	return wireVarint
}

// errCut says that a profile is not read.
var errCut = errors.New("the profile is cut short")

// isProto reports whether what begins like this is a profile. The error is errCut for
// one that ends within a field, after a type of its samples and another field.
func isProto(head []byte, whole bool) (bool, error) {
	const enough = 8 // fields that no text has by chance
	fields, types, strings := 0, 0, 0
	for rest := head; len(rest) > 0; fields++ {
		f, after, cut, ok := next(rest)
		if !ok && cut && whole && types > 0 && fields > 1 {
			return true, errCut
		}
		if !ok {
			return cut && !whole && fields > enough && types+strings > 0, nil
		}
		if f.number == 0 || f.number <= lastField && f.wire != wireOf(f.number) && !(f.number == 13 && f.wire == wireVarint) {
			return false, nil
		}
		switch f.number {
		case sampleType:
			types++
			if !isValueType(f.body) {
				return false, nil
			}
		case stringTable:
			strings++
		}
		rest = after
	}
	return types+strings > 0, nil
}

// isValueType reports whether a message has two numbers of strings at most.
func isValueType(body []byte) bool {
	for len(body) > 0 {
		f, rest, _, ok := next(body)
		if !ok || f.wire != wireVarint || f.number > 2 {
			return false
		}
		body = rest
	}
	return true
}

// cost returns the bytes of memory that pprof takes to decode a profile without labels,
// about: the sizes of its structs and of the maps that it makes.
func cost(data []byte) int64 {
	sum := int64(len(data))
	for len(data) > 0 {
		f, rest, _, ok := next(data)
		if !ok {
			break // where pprof gives up too
		}
		sum += fieldCost(f)
		data = rest
	}
	return sum
}

func fieldCost(f field) int64 {
	switch f.number {
	case sample:
		return 200 + partsCost(f.body, 24, 800)
	case mapping:
		return 300
	case location:
		return 200 + partsCost(f.body, 0, 80)
	case function:
		return 200
	case stringTable:
		return 32 + int64(len(f.body))
	}
	return 64 + 16*int64(len(f.body))
}

// partsCost returns what the parts of a message take: each number, packed or not, and
// each message.
func partsCost(body []byte, number, message int64) (sum int64) {
	for len(body) > 0 {
		f, rest, _, ok := next(body)
		if !ok {
			return sum
		}
		switch {
		case f.wire != wireBytes:
			sum += number
		case number > 0 && f.number <= 2:
			sum += number * varints(f.body)
		default:
			sum += message
		}
		body = rest
	}
	return sum
}

// varints returns how many numbers are packed in bytes: the last of each is below 128.
func varints(packed []byte) (n int64) {
	for _, c := range packed {
		if c < 0x80 {
			n++
		}
	}
	return n
}

// baseLabel is what pprof -diff_base -proto labels the samples of the base with.
const baseLabel = "pprof::base"

// withoutLabels leaves out the labels of samples, for which pprof makes two maps a sample,
// but those that tell the base of a difference.
func withoutLabels(data []byte) []byte {
	base := baseIndex(data)
	out := make([]byte, 0, len(data))
	var body []byte
	for len(data) > 0 {
		f, rest, _, ok := next(data)
		switch {
		case !ok:
			return append(out, data...)
		case f.number == sample && f.wire == wireBytes:
			body = appendUnlabeled(body[:0], f.body, base)
			out = binary.AppendUvarint(append(out, sample<<3|wireBytes), uint64(len(body)))
			out = append(out, body...)
		default:
			out = append(out, data[:len(data)-len(rest)]...)
		}
		data = rest
	}
	return out
}

// baseIndex returns the index of baseLabel in the table of strings, 0 if it is not there.
func baseIndex(data []byte) (index uint64) {
	for i := uint64(0); len(data) > 0; {
		f, rest, _, ok := next(data)
		if !ok {
			break
		}
		if f.number == stringTable {
			if string(f.body) == baseLabel {
				return i
			}
			i++
		}
		data = rest
	}
	return 0
}

func appendUnlabeled(out, body []byte, base uint64) []byte {
	const label, key = 3, 1
	for len(body) > 0 {
		f, rest, _, ok := next(body)
		if !ok {
			return append(out, body...)
		}
		keep := f.number != label
		if !keep && base > 0 {
			k, _, _, ok := next(f.body)
			keep = ok && k.number == key && k.value == base
		}
		if keep {
			out = append(out, body[:len(body)-len(rest)]...)
		}
		body = rest
	}
	return out
}
