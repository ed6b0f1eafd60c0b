// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// describe puts into a string what an Expect and a death have in common.
func describe(e Expect) string {
	return fmt.Sprintf("%s netns %d dev %s (%d) type %#x proto %d %s > %s echo %d/%d",
		e.Reasons, e.Netns, e.Device, e.Ifindex, e.Ethertype, e.Protocol, e.Src, e.Dst, e.EchoID, e.EchoSeq)
}

func lines(counts map[string]int) string {
	var all []string
	for line, n := range counts {
		all = append(all, fmt.Sprintf("%d × %s", n, line))
	}
	slices.Sort(all)
	return strings.Join(all, "\n     ")
}

// expect turns a death into the Expect it fulfils. A detail where the kernel gives
// a choice becomes what want says if it is one of the choices.
func (d *death) expect(n *Net, want Expect, symbols []symbol, reasons map[uint32]string) Expect {
	e := Expect{Netns: d.netns(n), Ethertype: uint16(d.Protocol>>8 | d.Protocol<<8)}
	switch {
	case d.DevNetns == e.Netns:
		e.Ifindex = int(d.Ifindex)
	case d.Iif != 0:
		e.Ifindex = int(d.Iif)
	default:
		e.Ifindex = int(d.Route)
	}
	if e.Ifindex == want.Ifindex && e.Netns == want.Netns {
		e.Device = want.Device
	}
	e.Reasons = []string{reasons[d.Reason]}
	if slices.Contains(want.Reasons, reasons[d.Reason]) {
		e.Reasons = want.Reasons
	}
	if stack := d.stack(symbols); len(want.MissingFrames(stack)) > 0 {
		e.Device += fmt.Sprintf(" stack %s lacks %s", stack, want.MissingFrames(stack))
	}
	d.addresses(&e)
	return e
}

// addresses reads the packet's headers.
func (d *death) addresses(e *Expect) {
	p := d.Packet[:]
	var src, dst netip.Addr
	switch {
	case e.Ethertype == unix.ETH_P_IP && p[0]>>4 == 4:
		src, _ = netip.AddrFromSlice(p[12:16])
		dst, _ = netip.AddrFromSlice(p[16:20])
		e.Protocol, p = p[9], p[int(p[0]&15)*4:]
	case e.Ethertype == unix.ETH_P_IPV6 && p[0]>>4 == 6:
		src, _ = netip.AddrFromSlice(p[8:24])
		dst, _ = netip.AddrFromSlice(p[24:40])
		e.Protocol, p = p[6], p[40:]
		extensions := []uint8{unix.IPPROTO_HOPOPTS, unix.IPPROTO_DSTOPTS, unix.IPPROTO_ROUTING, unix.IPPROTO_FRAGMENT}
		for slices.Contains(extensions, e.Protocol) {
			e.Protocol, p = p[0], p[8+int(p[1])*8:] // a fragment's header has a zero there
		}
	default:
		return
	}
	var sport, dport uint16
	switch e.Protocol {
	case unix.IPPROTO_UDP, unix.IPPROTO_TCP:
		sport, dport = binary.BigEndian.Uint16(p), binary.BigEndian.Uint16(p[2:])
	case unix.IPPROTO_ICMP:
		e.EchoID, e.EchoSeq = binary.BigEndian.Uint16(p[4:]), binary.BigEndian.Uint16(p[6:])
	}
	e.Src, e.Dst = netip.AddrPortFrom(src, sport), netip.AddrPortFrom(dst, dport)
}
