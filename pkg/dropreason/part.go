// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"slices"
	"strings"
)

const partMeaning = "A part of a packet (a fragment on the frag_list of its skb, or a segment of it), freed with the packet or joined to it."

// partFunctions are functions of net/core/skbuff.c that free parts of packets and nothing
// else. Before 6.3 (a4650da2a2d6) the kernel has kfree_skb_list, or kfree_skb_list_reason,
// for the location, and pkg/trace finds its caller.
//
// Fragments on their own are packets: what ip_do_fragment and ip6_fragment do not send, and
// what inet_frag_rbtree_purge frees of a datagram that stays incomplete, is lost.
var partFunctions = []string{
	// The frag_list of a packet whose data is released, 5.10 to 7.2: a datagram put together
	// of fragments, or what GRO or a stream parser chained.
	"skb_release_data",
	// Those past the end of a packet that is cut, 5.10 to 7.2, as padding is.
	"___pskb_trim",
	// Those whose data has moved to the packet's head; consumed since 5.19.
	"__pskb_pull_tail",
	// Segments of a packet that cannot be cut up, 5.10 to 7.2; the caller frees the packet.
	"skb_segment", "skb_segment_list",
}

// freesParts reports whether a function frees parts of packets alone.
func freesParts(function string) bool {
	name, _, _ := strings.Cut(function, ".")
	return slices.Contains(partFunctions, name)
}
