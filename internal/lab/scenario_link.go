// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"net"

	"golang.org/x/sys/unix"
)

// linkScenarios are deaths before IP has seen the packet.
func linkScenarios() []Scenario {
	return []Scenario{
		{Name: "unknown-ethertype", Doc: "frames of a type that no protocol handles", prepare: unknownEthertype},
		{Name: "other-host", Doc: "frames for another MAC address", prepare: otherHost},
		{Name: "vlan-unknown", Doc: "frames with a VLAN tag and no device for that VLAN", prepare: vlanUnknown},
		{Name: "unicast-in-broadcast", Doc: "a broadcast frame holding a unicast packet", prepare: unicastInBroadcast},
	}
}

// localExperimental is an ethertype that stays unassigned (IEEE 802).
const localExperimental = 0x88b5

func unknownEthertype(s *Scene) error {
	s.expect.Reasons = []string{"UNHANDLED_PROTO", "PTYPE_ABSENT"}
	s.expect.Frames = frames("__netif_receive_skb_core")
	s.expect.Ethertype = localExperimental
	s.tally = s.net.Rx.deviceTally("rx_dropped")
	return s.wireFrame(ethernet(s.net.Rx.MAC, s.net.Tx.MAC, localExperimental, make([]byte, 64)))
}

func otherHost(s *Scene) error {
	s.expect.Reasons = []string{"OTHERHOST"}
	s.expect.Frames = frames("ip_rcv")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	nobody := net.HardwareAddr{0x02, 0x6c, 0x61, 0x62, 0, 0xff}
	packet := ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, nil))
	return s.wireFrame(ethernet(nobody, s.net.Tx.MAC, unix.ETH_P_IP, packet))
}

// vlanUnknown is dropped as OTHERHOST: __netif_receive_skb_core marks a packet so
// whose tag no device has taken, removes the tag, and hands the packet on.
func vlanUnknown(s *Scene) error {
	s.expect.Reasons = []string{"OTHERHOST"}
	s.expect.Frames = frames("ip_rcv")
	return s.wireFrame(s.taggedFrame())
}

const vlanID = 42

// taggedFrame returns a datagram of the usual flow in a frame with a VLAN tag.
func (s *Scene) taggedFrame() []byte {
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	packet := ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, nil))
	tagged := append([]byte{0, vlanID, unix.ETH_P_IP >> 8, unix.ETH_P_IP & 0xff}, packet...)
	return ethernet(s.net.Rx.MAC, s.net.Tx.MAC, unix.ETH_P_8021Q, tagged)
}

func unicastInBroadcast(s *Scene) error {
	s.expect.Reasons = []string{"UNICAST_IN_L2_MULTICAST", "NOT_SPECIFIED"}
	s.expect.Frames = [][]string{{"ip_rcv_finish_core", "ip_rcv_finish", "ip_rcv"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	// Off by default; RFC 1122 section 3.3.6 wants it.
	if err := s.net.Rx.Sysctl("ipv4/conf/all/drop_unicast_in_l2_multicast", "1"); err != nil {
		return err
	}
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	packet := ip(src.Addr(), dst.Addr(), unix.IPPROTO_UDP, udp(src, dst, nil))
	return s.wireFrame(ethernet(broadcast, s.net.Tx.MAC, unix.ETH_P_IP, packet))
}
