// SPDX-License-Identifier: Apache-2.0

// Package rtt reads round-trip times from the logs of ping and hping3 and finds
// the instants at which queues were drained in them.
//
// A log knows which packets were late and by how much, but not why; what traced
// the kernel at the same time knows the reverse. Echo identifier, sequence number
// and time join the two.
//
// # ping
//
// ping -D (iputils) prefixes each line with the wall clock, CLOCK_REALTIME:
//
//	[1700000000.123456] 64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=0.045 ms
//
// That is when ping printed the line, just after it read the reply (print_timestamp
// in iputils ping/ping_common.c). The round-trip time ends earlier, at the kernel's
// receive timestamp, unless ping was run with -U. The send time is therefore the
// stamp less the round-trip time, too late by what ping took to wake up and read.
// A round-trip time has three significant digits, from 100 ms on whole
// milliseconds; in releases that know it the option -3 prints microseconds. With
// -v the line has the echo identifier (ident=). With -O, ping says "no answer yet"
// where it sends before the previous reply has come; the reply may still come, as
// after a stall. A log must be in English: run ping with LC_ALL=C.
//
// # hping3
//
//	len=46 ip=10.0.0.2 ttl=64 id=1234 icmp_seq=5 rtt=12.3 ms
//	len=46 ip=10.0.0.2 ttl=64 DF id=0 sport=80 flags=SA seq=5 win=64240 rtt=12.3 ms
//
// The lines have no time, id is the IP header's and not the echo's, and -V breaks
// them in two. hping3 3.0.0-alpha-2 writes the ICMP sequence number to the packet
// in the byte order of its machine, so that what it prints as 5 is 1280 on the wire
// (see Reply.Wire). Its TCP and UDP modes count probes in seq, which is in no
// packet. Around a change of the wall clock's second it may print 1000 ms too much.
package rtt
