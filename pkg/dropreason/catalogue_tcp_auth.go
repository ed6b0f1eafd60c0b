// SPDX-License-Identifier: Apache-2.0

package dropreason

// tcpAuthReasons are given to TCP segments signed with MD5 or TCP-AO, and to
// unsigned ones where signatures are required.
var tcpAuthReasons = []Info{
	{Name: "TCP_AUTH_HDR", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment carries its MD5 or TCP-AO signature twice, or malformed.",
		Counters: []string{"ss -m: d"}},
	{Name: "TCP_MD5NOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment has no MD5 signature though this connection requires one.",
		Counters: []string{"TcpExtTCPMD5NotFound", "ss -m: d"}},
	{Name: "TCP_MD5UNEXPECTED", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment has an MD5 signature but no MD5 key is set for the peer.",
		Counters: []string{"TcpExtTCPMD5Unexpected", "ss -m: d"}},
	{Name: "TCP_MD5FAILURE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The MD5 signature is wrong: the two ends have different keys.",
		Counters: []string{"TcpExtTCPMD5Failure", "ss -m: d"}},
	{Name: "TCP_AONOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment has no TCP-AO signature though this connection requires one.",
		Counters: []string{"TcpExtTCPAORequired", "ss -m: d"}},
	{Name: "TCP_AOUNEXPECTED", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment has a TCP-AO signature but the socket has no TCP-AO keys.",
		Counters: []string{"TcpExtTCPAOKeyNotFound", "ss -m: d"}},
	{Name: "TCP_AOKEYNOTFOUND", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The segment names a TCP-AO key that is not configured for this peer.",
		Counters: []string{"TcpExtTCPAOKeyNotFound", "ss -m: d"}},
	{Name: "TCP_AOFAILURE", Layer: LayerTCP, Class: ClassPeerError,
		Meaning:  "The TCP-AO signature is wrong, or only part of the handshake was signed.",
		Counters: []string{"TcpExtTCPAOBad", "ss -m: d"}},
}
