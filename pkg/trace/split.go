// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

// mostCode is more than the code of kfree_skb has, bytes.
const mostCode = 1024

// extent returns the addresses of a function, from start up to end; 0 if it is not known.
// Debian's 5.10 for arm64 has kfree_skb in two parts, and says of every drop that it was
// there.
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
