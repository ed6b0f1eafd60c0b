// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

// mostCode bounds the code of kfree_skb and kfree_skb_list, in bytes.
const mostCode = 1024

// extent returns the address range of the first function that exists, 0 if it is unknown. The
// tracepoint's location is in that range if the function frees a packet for its caller.
func extent(names symbols, functions ...string) (start, end uint64) {
	for _, function := range functions {
		start, ok := names.Find(function)
		if !ok {
			continue
		}
		for end = start; end < start+mostCode; end++ {
			// Lookup takes a return address, and names the byte before it.
			if s, ok := names.Lookup(end + 1); !ok || s.Name != function {
				break
			}
		}
		return start, end
	}
	return 0, 0
}
