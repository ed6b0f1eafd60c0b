// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A journey is what a packet meets on its way to another network.
type journey struct {
	v6      bool
	mtu     int   // of the route there, bytes; 0: there is none
	ttl     uint8 // left on arrival at the router; 0: plenty
	payload int   // bytes in the datagram
}

// Networks that are not on the wire.
var (
	elsewhere4 = netip.AddrFrom4([4]byte{198, 51, 100, 9})
	elsewhere6 = netip.MustParseAddr("2001:db8:51::9")
)

// forward makes Rx a router, on which every packet of a journey dies.
func (s *Scene) forward(j journey) error {
	src, _ := s.flow4()
	to, conf := netip.PrefixFrom(elsewhere4, 24), "ipv4/conf/all/forwarding"
	if j.v6 {
		var err error
		if src, _, err = s.flow6(); err != nil {
			return err
		}
		to, conf = netip.PrefixFrom(elsewhere6, 64), "ipv6/conf/all/forwarding"
	}
	if err := s.net.Rx.Sysctl(conf, "1"); err != nil {
		return err
	}
	if j.mtu != 0 {
		if err := s.net.Rx.addRoute(to, src.Addr(), j.mtu); err != nil {
			return err
		}
	}
	dst := netip.AddrPortFrom(to.Addr(), dstPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	return s.wire(j.packet(src, dst))
}

func (j journey) packet(src, dst netip.AddrPort) []byte {
	packet := ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, make([]byte, j.payload)))
	switch {
	case j.ttl == 0:
	case j.v6:
		packet[7] = j.ttl
	default:
		packet[8] = j.ttl
		sumIPv4(packet)
	}
	return packet
}

// addRoute sends packets for another network on by a host's device. The limit of
// their size is locked: else a router looks at the device's (ip6_forward).
func (h *Host) addRoute(to netip.Prefix, via netip.Addr, mtu int) error {
	to = to.Masked()
	route := &netlink.Route{
		LinkIndex: h.Ifindex, Gw: via.AsSlice(), MTU: mtu, MTULock: true,
		Dst: &net.IPNet{IP: to.Addr().AsSlice(), Mask: net.CIDRMask(to.Bits(), to.Addr().BitLen())},
	}
	if err := h.nl.RouteAdd(route); err != nil {
		return fmt.Errorf("add route to %s: %w", to, err)
	}
	return nil
}
