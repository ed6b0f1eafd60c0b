// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

// mostCode is more than the code of kfree_skb and kfree_skb_list has, bytes.
const mostCode = 1024

// extent returns the addresses of the first of some functions that there is, from start up
// to end; 0 if it is not known. Of drops that it frees for others it is the location.
func extent(names symbols, functions ...string) (start, end uint64) {
	for _, function := range functions {
		start, ok := names.Find(function)
		if !ok {
			continue
		}
		for end = start; end < start+mostCode; end++ {
			// A return address is named by the byte before it.
			if s, ok := names.Lookup(end + 1); !ok || s.Name != function {
				break
			}
		}
		return start, end
	}
	return 0, 0
}
