// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

const (
	txDevice = "lab-tx"
	rxDevice = "lab-rx"
)

// join connects the hosts of n.
func (n *Net) join(arp bool) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = txDevice
	attrs.HardwareAddr = net.HardwareAddr{0x02, 0x6c, 0x61, 0x62, 0, 1}
	veth := netlink.NewVeth(attrs)
	veth.PeerName = rxDevice
	veth.PeerHardwareAddr = net.HardwareAddr{0x02, 0x6c, 0x61, 0x62, 0, 2}
	veth.PeerNamespace = netlink.NsFd(n.Rx.ns)
	if err := n.Tx.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("create veth pair: %w", err)
	}
	if err := n.Tx.adopt(txDevice); err != nil {
		return err
	}
	if err := n.Rx.adopt(rxDevice); err != nil {
		return err
	}
	for _, h := range []*Host{n.Tx, n.Rx} {
		if err := h.bringUp(arp); err != nil {
			return err
		}
	}
	if err := n.Tx.address(n.Rx, arp); err != nil {
		return err
	}
	return n.Rx.address(n.Tx, arp)
}

// adopt looks up the host's end of the veth pair.
func (h *Host) adopt(device string) error {
	link, err := h.nl.LinkByName(device)
	if err != nil {
		return fmt.Errorf("find %s: %w", device, err)
	}
	h.link = link
	h.Device, h.Ifindex, h.MAC = device, link.Attrs().Index, link.Attrs().HardwareAddr
	return nil
}

// bringUp sets the host's device up. Without NOARP and MULTICAST flags the kernel
// joins no multicast groups for IPv6 addresses and so reports none
// (addrconf_join_solict and ipv6_add_dev in net/ipv6).
func (h *Host) bringUp(arp bool) error {
	if arp && h.HasIPv6() {
		if err := h.Sysctl("ipv6/conf/"+h.Device+"/disable_ipv6", "1"); err != nil {
			return err
		}
	}
	steps := []func(netlink.Link) error{h.nl.LinkSetMulticastOff, h.nl.LinkSetUp}
	if !arp {
		steps = append([]func(netlink.Link) error{h.nl.LinkSetARPOff}, steps...)
	}
	for _, step := range steps {
		if err := step(h.link); err != nil {
			return fmt.Errorf("set %s up: %w", h.Device, err)
		}
	}
	return nil
}
