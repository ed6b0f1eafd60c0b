// SPDX-License-Identifier: Apache-2.0

package dropreason

// places lists what a reason stands for at functions where that is not what it stands
// for elsewhere: a place is all that a cell has besides the reason, so that classes stay
// as exact as counts. A function is listed only if all that it frees with the reason is
// of that kind.
//
// What blurs the functions of inferences blurs these: a call in tail position has the
// caller for its location, and a static function the one that it was inlined into. All
// names that a packet may die under are listed.
var places = []placed{
	{reason: "NO_SOCKET", functions: []string{"ping_rcv"},
		source: "net/ipv4/ping.c, ping_rcv, 5.18 to 7.2: icmp_rcv and icmpv6_rcv call it for echo replies alone",
		layer:  LayerIP, class: ClassBenign,
		meaning:  "An echo reply for which no ping socket waits; raw sockets, as of ping run by root, have had their copy.",
		counters: []string{}},
}
