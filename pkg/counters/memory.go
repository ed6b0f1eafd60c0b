// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"os"

	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// memory is the buffers and caches that all namespaces and readings share.
type memory struct {
	files   fileSource
	dump    []byte // an answer of rtnetlink
	ethtool ethtoolBuffers
	qdiscs  []qdisc
	kinds   map[string]string  // interned kinds of qdiscs
	parts   map[qdiscID]string // texts of qdiscs
}

func newMemory() *memory {
	return &memory{
		files: fileSource{root: os.DirFS("/")},
		dump:  make([]byte, rtnl.Buffer),
		kinds: map[string]string{}, parts: map[qdiscID]string{},
	}
}

// part returns the text of a qdisc. It caches the first 16384 texts.
func (m *memory) part(id qdiscID) string {
	text, ok := m.parts[id]
	if !ok {
		text = id.String()
		const room = 1 << 14
		if len(m.parts) < room {
			m.parts[id] = text
		}
	}
	return text
}
