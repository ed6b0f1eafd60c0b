// SPDX-License-Identifier: Apache-2.0

package counters

import "strings"

// isLossCounter reports whether a protocol counter, named as by nstat, counts lost packets or
// helps to explain them. It includes every counter that pkg/dropreason names.
func isLossCounter(name string) bool {
	for _, group := range lossCounters {
		for _, prefix := range group.prefixes {
			rest, ok := strings.CutPrefix(name, prefix)
			if ok && contains(group.names, rest) {
				return true
			}
		}
	}
	return false
}

// contains reports whether a text contains a word.
func contains(text, word string) bool {
	for w := range strings.FieldsSeq(text) {
		if w == word {
			return true
		}
	}
	return false
}

// lossCounters are from net/ipv4/proc.c and net/ipv6/proc.c. No kernel has all: PAWSOldAck is
// in 6.18, but not in 6.12.
var lossCounters = []struct {
	prefixes []string
	names    string
}{
	{[]string{"Ip", "IpExt", "Ip6"}, `
		InHdrErrors InTooBigErrors InNoRoutes InAddrErrors InUnknownProtos InTruncatedPkts
		InCsumErrors InDiscards OutDiscards OutNoRoutes ReasmTimeout ReasmFails ReasmOverlaps
		FragFails`},
	{[]string{"Icmp", "Icmp6"}, `
		InErrors InCsumErrors OutErrors OutRateLimitGlobal OutRateLimitHost`},
	{[]string{"Udp", "Udp6", "UdpLite", "UdpLite6"}, `
		NoPorts InErrors RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors`},
	{[]string{"Tcp"}, `
		AttemptFails InErrs InCsumErrors OutRsts`},
	{[]string{"TcpExt"}, `
		SyncookiesFailed PruneCalled RcvPruned OfoPruned OutOfWindowIcmps LockDroppedIcmps
		ArpFilter PAWSActive PAWSEstab PAWSOldAck PAWSTimewait BeyondWindow
		TSEcrRejected DelayedACKLost ListenOverflows ListenDrops IPReversePathFilter
		PFMemallocDrop TCPBacklogDrop TCPMinTTLDrop TCPDeferAcceptDrop TCPTimeWaitOverflow
		TCPReqQFullDoCookies TCPReqQFullDrop TCPRcvQDrop TCPZeroWindowDrop TCPOFODrop
		TCPOFOMerge TCPAbortOnData TCPAbortOnMemory TCPAbortFailed TCPMemoryPressures
		TCPRetransFail TCPWqueueTooBig TCPChallengeACK TCPSYNChallenge
		TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPMigrateReqFailure
		TCPACKSkippedSynRecv TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2
		TCPACKSkippedTimeWait TCPACKSkippedChallenge
		TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure
		TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAODroppedIcmps`},
}
