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

	"golang.org/x/sys/unix"
)

// ordinaryUDP is ordinary life of UDP.
func ordinaryUDP() []Ordinary {
	return []Ordinary{
		{"dns", "questions and answers", dns},
		{"dns-ipv6", "the same over IPv6", dnsIPv6},
		{"dhcp", "a client without an address, and a server that answers to all", dhcp},
		{"multicast", "a group that two hosts have joined and the third has not", multicast},
		{"socket-closed-unread", "a socket closed with datagrams unread", socketClosedUnread},
	}
}

// packets opens a UDP socket in the host's namespace.
func (h *Host) packets(addr netip.Addr, port uint16, control func(fd uintptr) error) (c *net.UDPConn, err error) {
	config := net.ListenConfig{Control: onSocket(control)}
	err = h.Do(func() error {
		conn, err := config.ListenPacket(context.Background(), "udp", netip.AddrPortFrom(addr, port).String())
		if err == nil {
			c = conn.(*net.UDPConn)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(patience))
}

func dns(_ context.Context, l *LAN) error { return l.questions(l.Hosts[0].Addr4, l.Hosts[1].Addr4) }

func dnsIPv6(_ context.Context, l *LAN) error {
	if !l.Hosts[0].HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	return l.questions(l.Hosts[0].Addr6, l.Hosts[1].Addr6)
}

// questions asks from a socket each, as resolvers do.
func (l *LAN) questions(from, to netip.Addr) error {
	server, err := l.Hosts[1].packets(to, 53, nil)
	if err != nil {
		return err
	}
	const many = 40
	return both(func() error {
		defer server.Close()
		buf := make([]byte, 512)
		for range many {
			n, client, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return err
			}
			if _, err := server.WriteToUDPAddrPort(buf[:n], client); err != nil {
				return err
			}
		}
		return nil
	}, func() error {
		for range many {
			client, err := l.Hosts[0].packets(from, 0, nil)
			if err != nil {
				return err
			}
			_, err = client.WriteToUDPAddrPort(make([]byte, 40), netip.AddrPortFrom(to, 53))
			if err == nil {
				_, err = client.Read(make([]byte, 512))
			}
			if err := errors.Join(err, client.Close()); err != nil {
				return err
			}
		}
		return nil
	})
}

// dhcp exchanges a discover and an offer by broadcasts, which the third host has no use
// for.
func dhcp(_ context.Context, l *LAN) error {
	toAll := func(fd uintptr) error {
		return errors.Join(
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1),
			unix.BindToDevice(int(fd), l.Hosts[0].Device))
	}
	server, err := l.Hosts[1].packets(netip.IPv4Unspecified(), 67, toAll)
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := l.Hosts[0].packets(netip.IPv4Unspecified(), 68, toAll)
	if err != nil {
		return err
	}
	defer client.Close()
	everybody := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	discover := udp(netip.AddrPortFrom(netip.IPv4Unspecified(), 68), netip.AddrPortFrom(everybody, 67), make([]byte, 300))
	frame := ethernet(broadcast, l.Hosts[0].MAC, unix.ETH_P_IP, ip(netip.IPv4Unspecified(), everybody, unix.IPPROTO_UDP, discover))
	for range 10 {
		if err := l.Hosts[0].frames(frame); err != nil {
			return err
		}
		if _, err := server.Read(make([]byte, 512)); err != nil {
			return err
		}
		if _, err := server.WriteToUDPAddrPort(make([]byte, 300), netip.AddrPortFrom(everybody, 68)); err != nil {
			return err
		}
		if _, err := client.Read(make([]byte, 512)); err != nil {
			return err
		}
	}
	rest()
	return nil
}

var broadcast = net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

func multicast(_ context.Context, l *LAN) error {
	group := netip.AddrFrom4([4]byte{239, 1, 2, 3})
	var members []*net.UDPConn
	for _, h := range l.Hosts[:2] {
		var member *net.UDPConn
		err := h.Do(func() (err error) {
			device, err := net.InterfaceByName(h.Device)
			if err != nil {
				return err
			}
			member, err = net.ListenMulticastUDP("udp4", device, net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, 5000)))
			return err
		})
		if err != nil {
			return err
		}
		defer member.Close()
		if err := member.SetDeadline(time.Now().Add(patience)); err != nil {
			return err
		}
		members = append(members, member)
	}
	sender, err := l.Hosts[0].packets(l.Hosts[0].Addr4, 0, func(fd uintptr) error {
		return errors.Join(
			unix.SetsockoptInet4Addr(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, l.Hosts[0].Addr4.As4()),
			unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_LOOP, 1))
	})
	if err != nil {
		return err
	}
	defer sender.Close()
	for range 50 {
		if _, err := sender.WriteToUDPAddrPort(make([]byte, 100), netip.AddrPortFrom(group, 5000)); err != nil {
			return err
		}
		for _, member := range members {
			if _, err := member.Read(make([]byte, 100)); err != nil {
				return err
			}
		}
	}
	rest()
	return nil
}

func socketClosedUnread(_ context.Context, l *LAN) error {
	reader, err := l.Hosts[1].packets(l.Hosts[1].Addr4, serverPort, nil)
	if err != nil {
		return err
	}
	sender, err := l.Hosts[0].packets(l.Hosts[0].Addr4, 0, nil)
	if err != nil {
		return errors.Join(err, reader.Close())
	}
	for range 20 {
		if _, err := sender.WriteToUDPAddrPort(make([]byte, 100), netip.AddrPortFrom(l.Hosts[1].Addr4, serverPort)); err != nil {
			return errors.Join(err, reader.Close(), sender.Close())
		}
	}
	rest()
	return errors.Join(reader.Close(), sender.Close())
}
