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
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// ordinaryDevices is devices that come and go, and sockets without any.
func ordinaryDevices() []Ordinary {
	return []Ordinary{
		{"veth-comes-and-goes", "pairs of devices that are made and removed", vethComesAndGoes},
		{"vxlan-up-and-down", "an overlay network with a remote for everything", vxlanUpAndDown},
		{"vpn-up-and-down", "a tun device whose program goes away", vpnUpAndDown},
		{"address-before-carrier", "an address on a device whose other end is not up yet", addressBeforeCarrier},
		{"link-down-and-up", "a device that is set down and up again", linkDownAndUp},
		{"unix-sockets", "unix sockets closed with data unread", unixSockets},
		{"netlink-monitor", "a program that watches devices and routes", netlinkMonitor},
	}
}

func vethComesAndGoes(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	for n := range 3 {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = fmt.Sprintf("lab-pod%d", n)
		veth := netlink.NewVeth(attrs)
		veth.PeerName = fmt.Sprintf("lab-eth%d", n)
		veth.PeerNamespace = netlink.NsFd(l.Hosts[1].ns)
		if err := h.nl.LinkAdd(veth); err != nil {
			return fmt.Errorf("create veth pair: %w", err)
		}
		peer, err := l.Hosts[1].nl.LinkByName(veth.PeerName)
		if err != nil {
			return err
		}
		if err := errors.Join(l.Hosts[1].nl.LinkSetUp(peer), h.nl.LinkSetUp(veth)); err != nil {
			return err
		}
		rest()
		if err := h.nl.LinkDel(veth); err != nil {
			return err
		}
	}
	return nil
}

// addressBeforeCarrier has the kernel report the group of an address while the device has no
// queue yet but noop_qdisc, which drops the report, and again when it has one.
func addressBeforeCarrier(ctx context.Context, l *LAN) error {
	h, peer := l.Hosts[0], l.Hosts[1]
	if !h.HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "lab-pod"
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerNamespace = "lab-eth", netlink.NsFd(peer.ns)
	if err := h.nl.LinkAdd(veth); err != nil {
		return fmt.Errorf("create veth pair: %w", err)
	}
	other, err := peer.nl.LinkByName(veth.PeerName)
	if err != nil {
		return err
	}
	soon := h.Sysctl("ipv6/conf/"+attrs.Name+"/mldv2_unsolicited_report_interval", "10")
	if err := errors.Join(soon, h.nl.LinkSetUp(veth), addAddr(h.nl, veth, netip.MustParseAddr("2001:db8:19::1"), 64, 0)); err != nil {
		return err
	}
	if err := l.awaitQuiet(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	if err := errors.Join(peer.nl.LinkSetUp(other), h.awaitStateOf(attrs.Name, netlink.OperUp)); err != nil {
		return err
	}
	return errors.Join(l.awaitQuiet(ctx, 100*time.Millisecond), h.nl.LinkDel(veth))
}

func vxlanUpAndDown(_ context.Context, l *LAN) error {
	inner := netip.AddrFrom4([4]byte{198, 18, 5, 0})
	var links []netlink.Link
	for n, h := range l.Hosts[:2] {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = vxlanDevice
		link := &netlink.Vxlan{
			LinkAttrs: attrs, VxlanId: vxlanKnown, Port: vxlanPort, Learning: true, VtepDevIndex: h.Ifindex,
			SrcAddr: h.Addr4.AsSlice(), Group: l.Hosts[1-n].Addr4.AsSlice(),
		}
		if err := h.nl.LinkAdd(link); err != nil {
			return fmt.Errorf("create %s: %w", vxlanDevice, lacking(err, unix.EOPNOTSUPP))
		}
		links = append(links, link)
		// The first end up would report its groups to one that is not there yet.
		if h.HasIPv6() {
			if err := h.Sysctl("ipv6/conf/"+vxlanDevice+"/disable_ipv6", "1"); err != nil {
				return err
			}
		}
		inner = inner.Next()
		if err := errors.Join(h.nl.LinkSetUp(link), h.join(link, inner, 24)); err != nil {
			return err
		}
	}
	listener, err := l.Hosts[1].listen(inner, serverPort, nil)
	if err != nil {
		return err
	}
	err = both(serve(listener, onePage), func() error {
		defer listener.Close()
		return l.fetch(inner, 10)
	})
	rest()
	for n, h := range l.Hosts[:2] {
		err = errors.Join(err, h.nl.LinkDel(links[n]))
	}
	return err
}

// vpnUpAndDown echoes what is sent into a tun device, as a VPN with a peer would.
func vpnUpAndDown(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	fd, link, err := h.openTun(false)
	if err != nil {
		return err
	}
	inner := netip.AddrFrom4([4]byte{198, 18, 6, 1})
	if err := errors.Join(addAddr(h.nl, link, inner, 24, 0), h.nl.LinkSetUp(link)); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	conn, err := h.packets(inner, serverPort, nil)
	if err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	defer conn.Close()
	for range 20 {
		if _, err := conn.WriteToUDPAddrPort(make([]byte, 100), netip.AddrPortFrom(inner.Next(), serverPort)); err != nil {
			return errors.Join(err, unix.Close(fd))
		}
		if err := echoDatagram(fd); err != nil {
			return errors.Join(err, unix.Close(fd))
		}
		if _, err := conn.Read(make([]byte, 100)); err != nil {
			return errors.Join(err, unix.Close(fd))
		}
	}
	return unix.Close(fd)
}

// echoDatagram reads packets from a tun device until a datagram comes, and sends it back.
func echoDatagram(fd int) error {
	buf := make([]byte, 2048)
	for {
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(patience.Milliseconds())); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
		n, err := unix.Read(fd, buf)
		if errors.Is(err, unix.EINTR) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read tun device: %w", err)
		}
		if n < ipv4Len || buf[0]>>4 != 4 || buf[9] != unix.IPPROTO_UDP {
			continue // of IPv6, which the device speaks by itself
		}
		for i := range 4 {
			buf[12+i], buf[16+i] = buf[16+i], buf[12+i] // the checksums stay right
		}
		_, err = unix.Write(fd, buf[:n])
		return err
	}
}

// linkDownAndUp sets a host's device down and up. Frames that are on their way while the
// link is taken down, or that meet a port of the switch that does not forward yet, are
// lost for real: hosts are quiet when the device is set down, and it is dormant (RFC 2863),
// as it is while a supplicant authenticates, until the switch forwards.
func linkDownAndUp(ctx context.Context, l *LAN) error {
	h := l.Hosts[2]
	if err := l.quiet(ctx); err != nil {
		return err
	}
	for range 3 {
		if err := h.nl.LinkSetDown(h.link); err != nil {
			return err
		}
		rest()
		if err := errors.Join(h.operate(dormantMode, netlink.OperDormant), h.nl.LinkSetUp(h.link)); err != nil {
			return err
		}
		if err := h.awaitState(netlink.OperDormant); err != nil {
			return err
		}
		if err := l.awaitForwarding(3); err != nil {
			return err
		}
		if err := errors.Join(h.operate(defaultMode, netlink.OperUp), h.awaitState(netlink.OperUp)); err != nil {
			return err
		}
		if err := l.awaitQuiet(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// Modes of a link, include/uapi/linux/if.h: what a device becomes when its carrier comes.
const defaultMode, dormantMode = 0, 1

// operate sets the mode and the operational state of a host's device. The kernel takes
// OperUp from a device that is dormant, and nothing from one that is down (set_operstate,
// net/core/rtnetlink.c).
func (h *Host) operate(mode uint8, state netlink.LinkOperState) error {
	return h.Do(func() error {
		request := nl.NewNetlinkRequest(unix.RTM_SETLINK, unix.NLM_F_ACK)
		message := nl.NewIfInfomsg(unix.AF_UNSPEC)
		message.Index = int32(h.Ifindex)
		request.AddData(message)
		request.AddData(nl.NewRtAttr(unix.IFLA_LINKMODE, []byte{mode}))
		request.AddData(nl.NewRtAttr(unix.IFLA_OPERSTATE, []byte{byte(state)}))
		if _, err := request.Execute(unix.NETLINK_ROUTE, 0); err != nil {
			return fmt.Errorf("set mode %d and state %s of %s: %w", mode, state, h.Device, err)
		}
		return nil
	})
}

func unixSockets(_ context.Context, l *LAN) error {
	return l.Hosts[0].Do(func() error {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM, unix.SOCK_SEQPACKET} {
			for range 10 {
				pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
				if err != nil {
					return err
				}
				for range 5 {
					if _, err := unix.Write(pair[0], make([]byte, 100)); err != nil {
						return err
					}
				}
				if _, err := unix.Read(pair[1], make([]byte, 50)); err != nil {
					return err
				}
				if err := errors.Join(unix.Close(pair[1]), unix.Close(pair[0])); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func netlinkMonitor(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	picky, err := h.pickyMonitor()
	if err != nil {
		return err
	}
	defer unix.Close(picky)
	updates, done := make(chan netlink.LinkUpdate, 100), make(chan struct{})
	if err := netlink.LinkSubscribeAt(h.ns, updates, done); err != nil {
		return err
	}
	for n := range 10 {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.HardwareAddr = fmt.Sprintf("lab-mac%d", n), net.HardwareAddr{2, 0, 0, 0, 1, byte(n)}
		link := &netlink.Macvlan{LinkAttrs: attrs, Mode: netlink.MACVLAN_MODE_BRIDGE}
		link.ParentIndex = h.Ifindex
		if err := h.nl.LinkAdd(link); err != nil {
			close(done)
			return fmt.Errorf("create macvlan: %w", lacking(err, unix.EOPNOTSUPP))
		}
		if err := errors.Join(h.nl.LinkSetUp(link), h.nl.LinkDel(link)); err != nil {
			close(done)
			return err
		}
	}
	rest()
	close(done)
	for range updates { // until the subscription has ended
	}
	return nil
}

// pickyMonitor opens a socket that hears of devices and has a filter that wants none of
// it, as udev has for most of what the kernel says.
func (h *Host) pickyMonitor() (fd int, err error) {
	if fd, err = h.socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE); err != nil {
		return -1, err
	}
	nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	err = errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing}),
		unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}))
	if err != nil {
		return -1, errors.Join(fmt.Errorf("watch devices: %w", err), unix.Close(fd))
	}
	return fd, nil
}
