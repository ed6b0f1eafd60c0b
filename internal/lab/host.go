// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A Host is one of the two network namespaces of a Net, seen as a machine.
type Host struct {
	Netns   uint32           // inode number of the namespace
	Device  string           // its end of the veth pair
	Ifindex int              // of that device
	MAC     net.HardwareAddr // of that device
	Addr4   netip.Addr
	Addr6   netip.Addr // in use only if HasIPv6 says so

	ns   netns.NsHandle
	nl   *netlink.Handle
	link netlink.Link
}

// Do runs f on a thread that is in the host's namespace. What f opens there
// (sockets, /proc/sys/net, /proc/thread-self/net) belongs to the namespace;
// goroutines that f starts do not run in it.
func (h *Host) Do(f func() error) error {
	return within(h.ns, f)
}

// HasIPv6 says whether the kernel speaks IPv6 at all.
func (h *Host) HasIPv6() bool {
	_, err := os.Stat("/proc/sys/net/ipv6")
	return err == nil
}

// newHost makes a namespace with nothing in it but its loopback device, up. A quiet one
// sends nothing by itself.
func newHost(quiet bool) (h *Host, err error) {
	h = &Host{ns: netns.None()}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if h.ns, err = newNamespace(); err != nil {
		return nil, err
	}
	if h.Netns, err = inode(h.ns); err != nil {
		return nil, err
	}
	if h.nl, err = netlink.NewHandleAt(h.ns, unix.NETLINK_ROUTE); err != nil {
		return nil, fmt.Errorf("open rtnetlink: %w", err)
	}
	if quiet {
		if err := h.silence(); err != nil {
			return nil, err
		}
	}
	loopback, err := h.nl.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("find lo: %w", err)
	}
	if err := h.nl.LinkSetUp(loopback); err != nil {
		return nil, fmt.Errorf("set lo up: %w", err)
	}
	return h, nil
}

func (h *Host) close() error {
	if h.nl != nil {
		h.nl.Close()
		h.nl = nil
	}
	if h.ns.IsOpen() {
		if err := h.ns.Close(); err != nil {
			return fmt.Errorf("close network namespace: %w", err)
		}
	}
	return nil
}
