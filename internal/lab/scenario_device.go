// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// deviceScenarios are deaths on the way out, by the device that was to send.
func deviceScenarios() []Scenario {
	return []Scenario{
		{Name: "veth-mtu", Doc: "packets larger than the MTU of a veth's other end", prepare: vethMTU},
		{Name: "veth-peer-down", Doc: "a veth whose other end is down", prepare: vethPeerDown},
		{Name: "loopback-down", Doc: "a loopback device that is down", prepare: loopbackDown},
		{Name: "tun-unread", Doc: "a tun device that no program has open", prepare: tunUnread},
	}
}

// vethMTU sends more than the receiving end takes. UDP keeps it from the sender that its
// packet was refused, unless that asked for errors (udp_send_skb, net/ipv4/udp.c).
func vethMTU(s *Scene) error {
	s.expect.Reasons = []string{"NOT_SPECIFIED"}
	s.expect.Frames = [][]string{{"__dev_forward_skb2", "__dev_forward_skb"}, {"veth_xmit"}, {"udp_sendmsg"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Tx)
	const mtu, payload = 1300, 1400
	if err := s.net.Rx.nl.LinkSetMTU(s.net.Rx.link, mtu); err != nil {
		return fmt.Errorf("set MTU of %s: %w", s.net.Rx.Device, err)
	}
	s.tally = s.net.Rx.deviceTally("rx_dropped")
	fd, err := s.socket(s.net.Tx, unix.SOCK_DGRAM, src)
	if err != nil {
		return err
	}
	return s.leaves(datagramsOf(fd, dst, payload, nil), nil)
}

func vethPeerDown(s *Scene) error {
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Tx)
	if err := s.net.Rx.nl.LinkSetDown(s.net.Rx.link); err != nil {
		return fmt.Errorf("set %s down: %w", s.net.Rx.Device, err)
	}
	return s.noop(s.net.Tx.Device, src, dst)
}

func loopbackDown(s *Scene) error {
	own := netip.AddrPortFrom(s.net.Tx.Addr4, dstPort)
	src := netip.AddrPortFrom(s.net.Tx.Addr4, srcPort)
	s.looksLike(unix.IPPROTO_UDP, src, own)
	s.diesAt(s.net.Tx)
	loopback, err := s.net.Tx.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	s.expect.Device, s.expect.Ifindex = "lo", loopback.Attrs().Index
	if err := s.net.Tx.nl.LinkSetDown(loopback); err != nil {
		return fmt.Errorf("set lo down: %w", err)
	}
	return s.noop("lo", src, own)
}

func tunUnread(s *Scene) error {
	addr := netip.AddrFrom4([4]byte{198, 18, 1, 1})
	src, dst := netip.AddrPortFrom(addr, srcPort), netip.AddrPortFrom(addr.Next(), dstPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Tx)
	fd, link, err := s.net.Tx.openTun(true)
	if err != nil {
		return err
	}
	if err := s.net.Tx.configureTun(link, addr); err != nil {
		return err
	}
	if err := closeTun(fd); err != nil {
		return err
	}
	s.onClose(func() error {
		if err := s.net.Tx.nl.LinkDel(link); err != nil {
			return fmt.Errorf("delete %s: %w", tunDevice, err)
		}
		return nil
	})
	s.expect.Device, s.expect.Ifindex = tunDevice, link.Attrs().Index
	return s.noop(tunDevice, src, dst)
}

// noop has every packet die in the queue of a device of Tx, which is noop_qdisc once the
// device has no carrier or is down (dev_deactivate_queue, net/sched/sch_generic.c). The
// kernel sees to that a moment later (linkwatch_do_dev, net/core/link_watch.c).
//
// Since 6.3 the device counts them (noop_enqueue), before nothing does.
func (s *Scene) noop(device string, src, dst netip.AddrPort) error {
	s.expect.Reasons = []string{"QDISC_DROP_GENERIC", "QDISC_DROP", "NOT_SPECIFIED"}
	s.expect.Frames = [][]string{{"__dev_queue_xmit"}, {"udp_sendmsg"}}
	err := await(context.Background(), "no carrier on "+device, func() (bool, error) {
		link, err := s.net.Tx.nl.LinkByName(device)
		if err != nil {
			return false, fmt.Errorf("find %s: %w", device, err)
		}
		state := link.Attrs().OperState
		return state == netlink.OperDown || state == netlink.OperLowerLayerDown, nil
	})
	if err != nil {
		return err
	}
	fd, err := s.socket(s.net.Tx, unix.SOCK_DGRAM, src)
	if err != nil {
		return err
	}
	return s.leaves(datagrams(fd, dst, nil), nil)
}
