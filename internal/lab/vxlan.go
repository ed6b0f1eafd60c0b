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

// vxlanNoTarget sends into an overlay network whose device does not know where to: what
// a pod loses that a CNI has forgotten.
func vxlanNoTarget(s *Scene) error {
	s.expect.Reasons, s.expect.Class = []string{"NO_TX_TARGET", "NOT_SPECIFIED"}, "loss"
	s.expect.Frames = frames("vxlan_xmit")
	addr := netip.AddrFrom4([4]byte{198, 18, 3, 1})
	src, dst := netip.AddrPortFrom(addr, srcPort), netip.AddrPortFrom(addr.Next(), dstPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	tx := s.net.Tx
	if err := tx.addVxlan(); err != nil {
		return err
	}
	link, err := tx.nl.LinkByName(vxlanDevice)
	if err != nil {
		return fmt.Errorf("find %s: %w", vxlanDevice, err)
	}
	if err := addAddr(tx.nl, link, addr, 24, 0); err != nil {
		return err
	}
	neighbour := &netlink.Neigh{
		LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: dst.Addr().AsSlice(), HardwareAddr: s.net.Rx.MAC,
	}
	if err := tx.nl.NeighAdd(neighbour); err != nil {
		return fmt.Errorf("add neighbour %s: %w", dst.Addr(), err)
	}
	s.expect.Netns, s.expect.Device, s.expect.Ifindex = tx.Netns, vxlanDevice, link.Attrs().Index
	s.tally = deviceTally(tx.nl, vxlanDevice, "tx_dropped")
	fire, err := s.datagrams(src, dst, nil)
	if err != nil {
		return err
	}
	s.each(fire, false)
	return nil
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
