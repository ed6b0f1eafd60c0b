// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// mostCode is more than the code of kfree_skb has, bytes.
const mostCode = 1024

// setSplit tells the programs where kfree_skb lies. Debian's 5.10 for arm64 has it in two
// parts, and says of every drop that it was there.
func setSplit(spec *ebpf.CollectionSpec, names symbols) error {
	start, end := extent(names, "kfree_skb")
	err := errors.Join(spec.Variables["split_start"].Set(start), spec.Variables["split_end"].Set(end))
	if err != nil {
		return fmt.Errorf("set place of kfree_skb: %w", err)
	}
	return nil
}

// extent returns the addresses of a function, from start up to end; 0 if it is not known.
func extent(names symbols, function string) (start, end uint64) {
	start, ok := names.Find(function)
	if !ok {
		return 0, 0
	}
	for end = start; end < start+mostCode; end++ {
		// A return address is named by the byte before it.
		if s, ok := names.Lookup(end + 1); !ok || s.Name != function {
			break
		}
	}
	return start, end
}
