// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const bridgeDevice = "lab-br"

// A LAN is hosts at a switch, all of them namespaces with the settings of any new one:
// they resolve neighbours and report the groups that they listen to. They do not wait
// for duplicates of their IPv6 addresses, and ports of the switch have none.
type LAN struct {
	Hosts  []*Host
	Switch *Host // whose device is a bridge, with a port for each of Hosts
}

// NewLAN makes a LAN of three hosts, and waits until their addresses are usable. The
// caller must close it.
func NewLAN() (l *LAN, err error) {
	l = &LAN{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make LAN: %w", err), l.Close())
			l = nil
		}
	}()
	if l.Switch, err = newHost(false); err != nil {
		return l, err
	}
	if err := l.Switch.addBridge(); err != nil {
		return l, err
	}
	if l.Switch.HasIPv6() {
		if err := l.Switch.Sysctl("ipv6/conf/default/disable_ipv6", "1"); err != nil {
			return l, err
		}
	}
	for n := range 3 {
		h, err := newHost(false)
		if err != nil {
			return l, err
		}
		l.Hosts = append(l.Hosts, h)
		if h.HasIPv6() {
			if err := h.Sysctl("ipv6/conf/default/accept_dad", "0"); err != nil {
				return l, err
			}
		}
		if err := l.plug(h, byte(n+1)); err != nil {
			return l, err
		}
	}
	for _, h := range l.Hosts {
		if !h.HasIPv6() {
			continue
		}
		if err := h.awaitUsable(h.Addr6); err != nil {
			return l, err
		}
	}
	return l, nil
}

// Close removes everything.
func (l *LAN) Close() error {
	var errs []error
	for _, h := range append(l.Hosts[:len(l.Hosts):len(l.Hosts)], l.Switch) {
		if h == nil {
			continue
		}
		if h.link != nil {
			errs = append(errs, h.nl.LinkDel(h.link)) // takes the other end with it
		}
		errs = append(errs, h.close())
	}
	return errors.Join(errs...)
}

// Namespaces returns the inode numbers of all of them.
func (l *LAN) Namespaces() []uint32 {
	all := []uint32{l.Switch.Netns}
	for _, h := range l.Hosts {
		all = append(all, h.Netns)
	}
	return all
}

func (h *Host) addBridge() error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = bridgeDevice
	if err := h.nl.LinkAdd(&netlink.Bridge{LinkAttrs: attrs}); err != nil {
		return fmt.Errorf("create %s: %w", bridgeDevice, lacking(err, unix.EOPNOTSUPP))
	}
	if err := h.adopt(bridgeDevice); err != nil {
		return err
	}
	if err := h.nl.LinkSetUp(h.link); err != nil {
		return fmt.Errorf("set %s up: %w", bridgeDevice, err)
	}
	return nil
}

// portDevice is the switch's end of the pair of a host.
func portDevice(n byte) string { return fmt.Sprintf("lab-port%d", n) }

// plug joins a host to the switch.
func (l *LAN) plug(h *Host, n byte) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = rxDevice
	attrs.HardwareAddr = net.HardwareAddr{0x02, 0x6c, 0x61, 0x6e, 0, n}
	veth := netlink.NewVeth(attrs)
	veth.PeerName = portDevice(n)
	veth.PeerNamespace = netlink.NsFd(l.Switch.ns)
	if err := h.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("create veth pair: %w", err)
	}
	if err := h.adopt(rxDevice); err != nil {
		return err
	}
	port, err := l.Switch.nl.LinkByName(veth.PeerName)
	if err != nil {
		return fmt.Errorf("find %s: %w", veth.PeerName, err)
	}
	if err := errors.Join(l.Switch.nl.LinkSetMaster(port, l.Switch.link), l.Switch.nl.LinkSetUp(port), h.nl.LinkSetUp(h.link)); err != nil {
		return fmt.Errorf("plug in %s: %w", veth.PeerName, err)
	}
	if err := errors.Join(h.awaitCarrier(), l.awaitForwarding(n)); err != nil {
		return err
	}
	h.Addr4 = netip.AddrFrom4([4]byte{198, 18, 2, n})
	h.Addr6 = netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 0, 0x18, 15: n})
	if err := h.Sysctl("ipv4/tcp_early_retrans", "0"); err != nil { // probes of the tail are early as well
		return err
	}
	if err := h.join(h.link, h.Addr4, 24); err != nil {
		return err
	}
	if !h.HasIPv6() {
		return nil
	}
	return h.join(h.link, h.Addr6, 64)
}

// join gives a device of a host an address, in a network on the way to which TCP waits
// for long before it sends again: a guest without KVM stands still for longer than the
// usual 200 ms, and what is sent twice may come when its connection is gone.
func (h *Host) join(link netlink.Link, addr netip.Addr, bits int) error {
	if err := addAddr(h.nl, link, addr, bits, 0); err != nil {
		return err
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return err
	}
	route := &netlink.Route{
		LinkIndex: link.Attrs().Index, Protocol: unix.RTPROT_KERNEL, RtoMin: 5000, RtoMinLock: true, // ms
		Dst: &net.IPNet{IP: network.Addr().AsSlice(), Mask: net.CIDRMask(bits, addr.BitLen())},
	}
	if addr.Is4() {
		route.Scope, route.Src = netlink.SCOPE_LINK, addr.AsSlice()
	} else {
		route.Priority = 256 // IP6_RT_PRIO_ADDRCONF
	}
	if err := h.nl.RouteReplace(route); err != nil {
		return fmt.Errorf("replace route to %s: %w", network, err)
	}
	return nil
}

// awaitForwarding waits until a port of the switch forwards. Whoever plugs in hears of
// the carrier first, and what he sends by then is dropped (BRIDGE_INGRESS_STP_STATE): one
// worker tells both ends, one after the other, and the bridge has a port forward when it is
// told that the port is up (br_port_carrier_check, net/bridge/br_if.c).
func (l *LAN) awaitForwarding(n byte) error {
	return l.Switch.awaitStateOf(portDevice(n), netlink.OperUp)
}

// quiet has hosts look for no router any more, and report the groups that they join within
// milliseconds and not seconds, and waits until all that they had to say is said.
func (l *LAN) quiet(ctx context.Context) error {
	for _, h := range l.Hosts {
		if !h.HasIPv6() {
			continue
		}
		own := "ipv6/conf/" + h.Device
		if err := errors.Join(h.Sysctl(own+"/router_solicitations", "0"), h.Sysctl(own+"/mldv2_unsolicited_report_interval", "10")); err != nil {
			return err
		}
	}
	return l.awaitQuiet(ctx, time.Second) // as long as a report may be put off
}

// awaitQuiet waits until the hosts have sent no ICMPv6 message for a while: a host without
// connections says nothing else by itself.
func (l *LAN) awaitQuiet(ctx context.Context, while time.Duration) error {
	var sent uint64
	since := time.Now()
	return await(ctx, "hosts to be quiet", func() (bool, error) {
		var now uint64
		for _, h := range l.Hosts {
			if !h.HasIPv6() {
				continue
			}
			n, err := h.protocol("snmp6", "Icmp6OutMsgs")
			if err != nil {
				return false, err
			}
			now += n
		}
		if now != sent {
			sent, since = now, time.Now()
		}
		return time.Since(since) > while, nil
	})
}

// awaitUsable waits until nobody else was found to have an IPv6 address.
func (h *Host) awaitUsable(addr netip.Addr) error {
	return await(context.Background(), addr.String()+" to be usable", func() (bool, error) {
		addrs, err := h.nl.AddrList(h.link, unix.AF_INET6)
		if errors.Is(err, netlink.ErrDumpInterrupted) { // by another address, of any namespace
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("list addresses of %s: %w", h.Device, err)
		}
		for _, a := range addrs {
			if a.Flags&unix.IFA_F_TENTATIVE != 0 {
				return false, nil
			}
		}
		return len(addrs) > 0, nil
	})
}

// rest lets what was sent come in and be answered.
func rest() { time.Sleep(60 * time.Millisecond) }

// frames puts frames on the wire of a host, as they are.
func (h *Host) frames(all ...[]byte) error {
	fd, err := h.socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrLinklayer{Ifindex: h.Ifindex, Halen: 6}
	for _, frame := range all {
		if err := uninterrupted(func() error { return unix.Sendto(fd, frame, 0, to) }); err != nil {
			return fmt.Errorf("send frame on %s: %w", h.Device, err)
		}
	}
	return nil
}
