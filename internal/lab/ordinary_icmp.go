// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ordinaryICMP is ping.
func ordinaryICMP() []Ordinary {
	return []Ordinary{
		{"ping-raw", "ping by root, from a raw socket", pingRaw},
		{"ping-raw-ipv6", "the same over IPv6", pingRaw6},
		{"ping-socket", "ping by anybody else, from a ping socket", pingSocket},
		{"ping-socket-ipv6", "the same over IPv6", pingSocket6},
	}
}

func pingRaw(_ context.Context, l *LAN) error {
	return l.ping(l.Hosts[1].Addr4, unix.SOCK_RAW, unix.IPPROTO_ICMP)
}

func pingRaw6(_ context.Context, l *LAN) error {
	return l.ping(l.Hosts[1].Addr6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6)
}

func pingSocket(_ context.Context, l *LAN) error {
	// Groups that may open such sockets; init_net allows none.
	if err := l.Hosts[0].Sysctl("ipv4/ping_group_range", "0 2147483647"); err != nil {
		return err
	}
	return l.ping(l.Hosts[1].Addr4, unix.SOCK_DGRAM, unix.IPPROTO_ICMP)
}

func pingSocket6(_ context.Context, l *LAN) error {
	if err := l.Hosts[0].Sysctl("ipv4/ping_group_range", "0 2147483647"); err != nil {
		return err
	}
	return l.ping(l.Hosts[1].Addr6, unix.SOCK_DGRAM, unix.IPPROTO_ICMPV6)
}

func (l *LAN) ping(to netip.Addr, kind, protocol int) error {
	if to.Is6() && !l.Hosts[0].HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	fd, err := l.Hosts[0].socket(family(to), kind, protocol)
	if err != nil {
		return err
	}
	defer closeSocket(fd)
	if err := limitWait(fd, unix.SO_RCVTIMEO); err != nil {
		return err
	}
	for seq := range uint16(30) {
		request := echo(4242, seq)
		if to.Is6() {
			request[0], request[2], request[3] = 128, 0, 0 // the kernel sums
		}
		err := uninterrupted(func() error { return unix.Sendto(fd, request, 0, sockaddr(netip.AddrPortFrom(to, 0))) })
		if err == nil {
			err = uninterrupted(func() error {
				_, _, err := unix.Recvfrom(fd, make([]byte, 200), 0)
				return err
			})
		}
		if err != nil {
			return fmt.Errorf("ping %s: %w", to, err)
		}
	}
	return nil
}
