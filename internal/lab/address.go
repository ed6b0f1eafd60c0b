// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// address waits for the carrier, then gives the host its addresses and its peer
// as a permanent neighbour. Only then is the device's queue sure to be in place:
// before, noop_qdisc would drop (linkwatch_do_dev, net/core/link_watch.c).
func (h *Host) address(peer *Host, arp bool) error {
	if err := h.awaitCarrier(); err != nil {
		return err
	}
	if err := addAddr(h.nl, h.link, h.Addr4, 24, 0); err != nil {
		return err
	}
	if err := h.addNeighbour(peer.Addr4, peer.MAC); err != nil {
		return err
	}
	if arp || !h.HasIPv6() {
		return nil
	}
	if err := addAddr(h.nl, h.link, h.Addr6, 64, unix.IFA_F_NODAD); err != nil {
		return err
	}
	if err := h.awaitLocal(h.Addr6); err != nil {
		return err
	}
	return h.addNeighbour(peer.Addr6, peer.MAC)
}

func (h *Host) awaitCarrier() error { return h.awaitState(netlink.OperUp) }

// awaitState waits until a worker of the kernel gave the host's device an operational
// state (linkwatch_do_dev).
func (h *Host) awaitState(state netlink.LinkOperState) error {
	return h.awaitStateOf(h.Device, state)
}

func (h *Host) awaitStateOf(device string, state netlink.LinkOperState) error {
	return await(context.Background(), fmt.Sprintf("%s to be %s", device, state), func() (bool, error) {
		link, err := h.nl.LinkByName(device)
		if err != nil {
			return false, fmt.Errorf("find %s: %w", device, err)
		}
		return link.Attrs().OperState == state, nil
	})
}

// awaitLocal waits for an IPv6 address of the host to be routed to itself, which
// a worker sees to even if duplicates are not looked for (addrconf_dad_work).
func (h *Host) awaitLocal(addr netip.Addr) error {
	return await(context.Background(), "address "+addr.String(), func() (bool, error) {
		routes, err := h.nl.RouteGet(addr.AsSlice())
		return err == nil && len(routes) == 1 && routes[0].Type == unix.RTN_LOCAL, nil
	})
}

func addAddr(nl *netlink.Handle, link netlink.Link, addr netip.Addr, bits, flags int) error {
	ipnet := &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(bits, addr.BitLen())}
	if err := nl.AddrAdd(link, &netlink.Addr{IPNet: ipnet, Flags: flags}); err != nil {
		return fmt.Errorf("add address %s to %s: %w", addr, link.Attrs().Name, err)
	}
	return nil
}

func (h *Host) addNeighbour(addr netip.Addr, mac net.HardwareAddr) error {
	neigh := &netlink.Neigh{
		LinkIndex: h.Ifindex, State: netlink.NUD_PERMANENT, IP: addr.AsSlice(), HardwareAddr: mac,
	}
	if err := h.nl.NeighSet(neigh); err != nil {
		return fmt.Errorf("set neighbour %s on %s: %w", addr, h.Device, err)
	}
	return nil
}
