// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"encoding/binary"
	"regexp"
)

// The older formats that pprof reads, by their start: headers stand where its parsers look
// for them, and as they do (profile/legacy_profile.go, legacy_java_profile.go). That of a
// heap or of threads may be anywhere in its line, as behind a byte order mark or in a log.
// Lines end in LF or CRLF, and the last one may have no end.
var legacyStart = regexp.MustCompile(`\A([^\n]*heap profile: *\d+: *\d+ *\[ *\d+: *\d+ *\]` +
	`( *@ *heap(z_v2|_v2|profile)?([^_a-z0-9]|\z)| @ (growth|fragmentation))` +
	`|--- (contentionz |mutex:|contention:)` +
	`|[^\S\n]*--- (heapz|contentionz) 1 ---[^\S\n]*\n` +
	`|(\s*(#[^\n]*)?\n)*([^\n]*(--- threadz \d+ ---|--- Thread [[:xdigit:]]+ \(name: [^\n]*/\d+\) stack: ---)` +
	`|\S+ profile: total \d+\r?\n(\s*(#[^\n]*)?\n)*\d+ @( 0x[0-9a-f]+)+(\r?\n|\z)))`)

func isLegacy(head []byte) bool {
	return legacyStart.Match(head) || cpuWords(head) != nil
}

// words reads the words that a profile of CPU time consists of.
type words struct {
	order binary.ByteOrder
	size  int
}

func (w words) at(data []byte, i int) uint64 {
	data = data[i*w.size:]
	if w.size == 4 {
		return uint64(w.order.Uint32(data))
	}
	return w.order.Uint64(data)
}

// cpuHeader is how many words come before the samples: 0, 3, the language, the period, 0.
const cpuHeader = 5

// cpuWords returns how a profile of CPU time is written, nil if it is none.
func cpuWords(head []byte) *words {
	for _, w := range []words{{binary.LittleEndian, 4}, {binary.BigEndian, 4}, {binary.LittleEndian, 8}, {binary.BigEndian, 8}} {
		if len(head) < cpuHeader*w.size {
			continue
		}
		at := func(i int) uint64 { return w.at(head, i) }
		if at(0) == 0 && at(1) == 3 && at(2) <= 1 && at(3) > 0 && at(4) == 0 {
			return &w
		}
	}
	return nil
}

// withoutMappings cuts the mappings off the end of an older profile. Addresses are all
// that is drawn of what has no name, and pprof substitutes variables in this part, which
// can take any amount of memory.
func withoutMappings(data []byte) []byte {
	if w := cpuWords(data); w != nil {
		end := w.end(data)
		if w.at(data, 2) == 1 {
			return data // Java's has names instead
		}
		return data[:end]
	}
	for _, mark := range []string{"--- Memory map: ---", "MAPPED_LIBRARIES:"} {
		if i := bytes.Index(data, []byte(mark)); i >= 0 {
			if end := bytes.IndexByte(data[i:], '\n'); end >= 0 {
				data = data[:i+end+1]
			}
		}
	}
	return data
}

// end returns where the samples of a profile of CPU time end: after 0, 1, 0.
func (w words) end(data []byte) int {
	n := len(data) / w.size
	for i := cpuHeader; i+2 < n; {
		count, depth := w.at(data, i), w.at(data, i+1)
		if count == 0 && depth == 1 && w.at(data, i+2) == 0 {
			return (i + 3) * w.size
		}
		if depth > uint64(n) {
			break
		}
		i += 2 + int(depth)
	}
	return len(data)
}

// functionLine is a comment in a text of Go's: "#	0x43a5d5	runtime.gopark+0xd5	/usr/…".
var functionLine = regexp.MustCompile(`(?m)^#\t0x([0-9a-f]+)\t(\S+)\+0x[0-9a-f]+\t`)
