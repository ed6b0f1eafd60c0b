// SPDX-License-Identifier: Apache-2.0

package dropreason

// tcpAuthReasons are given to TCP segments signed with MD5 or TCP-AO, and to
// unsigned ones where signatures are required.
var tcpAuthReasons = []Info{
	{Name: "TCP_AUTH_HDR", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment carries its MD5 or TCP-AO signature twice, or malformed.",
		Check:    "tcpdump -vvni DEV host PEER: md5 and tcp-ao options",
		Change:   "Repair the peer: one signature a segment.",
		Counters: []string{"ss -m: d"}},
	{Name: "TCP_MD5NOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment has no MD5 signature though this connection requires one.",
		Check: "perf trace -e tcp:tcp_hash_md5_required (up to 6.10 dmesg: MD5 Hash not found): the peer; the " +
			"routing daemon's neighbour configuration on both ends",
		Change:   "Configure the same password on the peer, or remove it here.",
		Counters: []string{"TcpExtTCPMD5NotFound", "ss -m: d"}},
	{Name: "TCP_MD5UNEXPECTED", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The segment has an MD5 signature but no MD5 key is set for the peer.",
		Check: "perf trace -e tcp:tcp_hash_md5_unexpected (up to 6.10 dmesg: MD5 Hash): the peer; the routing " +
			"daemon's neighbour configuration on both ends",
		Change:   "Configure the same password here, for the address the peer really uses, or remove it there.",
		Counters: []string{"TcpExtTCPMD5Unexpected", "ss -m: d"}},
	{Name: "TCP_MD5FAILURE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning: "The MD5 signature is wrong: the two ends have different keys.",
		Check: "perf trace -e tcp:tcp_hash_md5_mismatch (up to 6.10 dmesg: MD5 Hash failed): the peer; the " +
			"routing daemon's neighbour configuration on both ends",
		Change:   "Configure the same password on both ends; a NAT between them breaks the signature.",
		Counters: []string{"TcpExtTCPMD5Failure", "ss -m: d"}},
	{Name: "TCP_AONOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment has no TCP-AO signature though this connection requires one.",
		Check:    "nstat -az TcpExtTCPAORequired; perf trace -e tcp:tcp_hash_ao_required: the peer; configuration of both ends",
		Change:   "Configure the same TCP-AO keys on the peer, or remove them here.",
		Counters: []string{"TcpExtTCPAORequired", "ss -m: d"}},
	{Name: "TCP_AOUNEXPECTED", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment has a TCP-AO signature but the socket has no TCP-AO keys.",
		Check:    "nstat -az TcpExtTCPAOKeyNotFound; configuration of both ends",
		Change:   "Configure the peer's TCP-AO keys here, for the address it really uses, or remove them there.",
		Counters: []string{"TcpExtTCPAOKeyNotFound", "ss -m: d"}},
	{Name: "TCP_AOKEYNOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment names a TCP-AO key that is not configured for this peer.",
		Check:    "nstat -az TcpExtTCPAOKeyNotFound; tcpdump -vvni DEV host PEER: keyid of the tcp-ao option",
		Change:   "Add the key of that id here before the peer switches to it.",
		Counters: []string{"TcpExtTCPAOKeyNotFound", "ss -m: d"}},
	{Name: "TCP_AOFAILURE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The TCP-AO signature is wrong, or only part of the handshake was signed.",
		Check:    "nstat -az TcpExtTCPAOBad; configuration of both ends: key, algorithm, send and receive ids",
		Change:   "Configure the same key and algorithm on both ends; a NAT between them breaks the signature.",
		Counters: []string{"TcpExtTCPAOBad", "ss -m: d"}},
}
