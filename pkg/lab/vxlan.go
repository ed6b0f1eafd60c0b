// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	vxlanDevice = "lab-vxlan"
	vxlanPort   = 4789 // IANA
	vxlanKnown  = 100  // network identifiers
	vxlanLost   = 101
)

// vxlanUnknown sends packets of an overlay network that the receiver does not know.
func vxlanUnknown(s *Scene) error {
	s.expect.Reasons = []string{"VXLAN_VNI_NOT_FOUND", "NOT_SPECIFIED"}
	s.expect.Frames = frames("vxlan_rcv")
	src, _ := s.flow4()
	dst := netip.AddrPortFrom(s.net.Rx.Addr4, vxlanPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	if err := s.net.Rx.addVxlan(); err != nil {
		return err
	}
	inner := ethernet(s.net.Rx.MAC, s.net.Tx.MAC, localExperimental, make([]byte, 64))
	header := binary.BigEndian.AppendUint32([]byte{8 /* has a VNI */, 0, 0, 0}, vxlanLost<<8)
	segment := udp(src, dst, append(header, inner...))
	return s.wire(ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, segment))
}

// addVxlan makes a device for one overlay network.
func (h *Host) addVxlan() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = vxlanDevice
	link := &netlink.Vxlan{LinkAttrs: attrs, VxlanId: vxlanKnown, Port: vxlanPort}
	if err := h.nl.LinkAdd(link); err != nil {
		return fmt.Errorf("create %s: %w", vxlanDevice, err)
	}
	if h.HasIPv6() {
		if err := h.Sysctl("ipv6/conf/"+vxlanDevice+"/disable_ipv6", "1"); err != nil {
			return err
		}
	}
	if err := h.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", vxlanDevice, err)
	}
	return nil
}
