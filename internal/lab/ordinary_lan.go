// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// ordinaryLAN is what a host on a LAN hears of others.
func ordinaryLAN() []Ordinary {
	return []Ordinary{
		{"mdns", "names asked for by multicast, IPv4 and IPv6", mdns},
		{"ssdp", "devices that announce themselves", ssdp},
		{"netbios", "names asked for by broadcast", netbios},
		{"discovery-protocols", "LLDP, CDP and spanning tree of a switch", discoveryProtocols},
		{"arp", "requests for other hosts, and announcements", arpForOthers},
		{"neighbour-discovery", "solicitations for other hosts, advertisements nobody asked for", neighbourDiscovery},
		{"router-advertisements", "a router that announces a prefix, and hosts that make addresses of it", routerAdvertisements},
		{"igmp", "a querier, and reports and leaves of others", igmp},
		{"mld", "the same for IPv6", mld},
		{"flooding", "frames for other hosts, which the switch does not know where to send", flooding},
		{"promiscuous", "the same while a capture runs", promiscuous},
	}
}

// each copy of these frames reaches every other host.
const copies = 20

// say has the first host put frames on the LAN, a few times.
func (l *LAN) say(frames ...[]byte) error {
	for range copies {
		if err := l.Hosts[0].frames(frames...); err != nil {
			return err
		}
	}
	rest()
	return nil
}

// group is a datagram to a multicast group, in a frame to it.
func (h *Host) group(to netip.Addr, port uint16) []byte {
	src, mac := h.Addr4, net.HardwareAddr{0x01, 0x00, 0x5e}
	if to.Is6() {
		src, mac = h.Addr6, net.HardwareAddr{0x33, 0x33}
	}
	raw := to.AsSlice()
	mac = append(mac, raw[len(raw)-(6-len(mac)):]...)
	if to.Is4() {
		mac[3] &= 0x7f
	}
	datagram := udp(netip.AddrPortFrom(src, port), netip.AddrPortFrom(to, port), make([]byte, 40))
	packet := ip(src, to, unix.IPPROTO_UDP, datagram)
	return ethernet(mac, h.MAC, versionType(packet), packet)
}

func mdns(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	frames := [][]byte{h.group(netip.AddrFrom4([4]byte{224, 0, 0, 251}), 5353)}
	if h.HasIPv6() {
		frames = append(frames, h.group(netip.MustParseAddr("ff02::fb"), 5353))
	}
	return l.say(frames...)
}

func ssdp(_ context.Context, l *LAN) error {
	return l.say(l.Hosts[0].group(netip.AddrFrom4([4]byte{239, 255, 255, 250}), 1900))
}

func netbios(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	all := netip.AddrFrom4([4]byte{198, 18, 2, 255})
	datagram := udp(netip.AddrPortFrom(h.Addr4, 137), netip.AddrPortFrom(all, 137), make([]byte, 50))
	return l.say(ethernet(broadcast, h.MAC, unix.ETH_P_IP, ip(h.Addr4, all, unix.IPPROTO_UDP, datagram)))
}

func discoveryProtocols(_ context.Context, l *LAN) error {
	const lldp, length = 0x88cc, 39 // of an 802.3 frame, in place of an ethertype
	mac := l.Hosts[0].MAC
	frames := [][]byte{
		ethernet(net.HardwareAddr{1, 0x80, 0xc2, 0, 0, 0x0e}, mac, lldp, make([]byte, 46)),
		ethernet(net.HardwareAddr{1, 0x80, 0xc2, 0, 0, 0}, mac, length, append([]byte{0x42, 0x42, 3}, make([]byte, 43)...)),
		ethernet(net.HardwareAddr{1, 0, 0x0c, 0xcc, 0xcc, 0xcc}, mac, length, append([]byte{0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0}, make([]byte, 38)...)),
	}
	return l.say(frames...)
}

func arpForOthers(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	message := func(target netip.Addr) []byte {
		p := []byte{0, 1, 8, 0, 6, 4, 0, 1}
		p = append(append(p, h.MAC...), h.Addr4.AsSlice()...)
		p = append(append(p, make([]byte, 6)...), target.AsSlice()...)
		return ethernet(broadcast, h.MAC, unix.ETH_P_ARP, p)
	}
	return l.say(message(netip.AddrFrom4([4]byte{198, 18, 2, 77})), message(h.Addr4))
}

var allNodes = netip.MustParseAddr("ff02::1")

// linkLocal is an IPv6 address for what must not be routed.
var linkLocal = netip.MustParseAddr("fe80::6c:61:6e")

// icmp6Message is a frame with an ICMPv6 message that never left the link.
func (h *Host) icmp6Message(to netip.Addr, message []byte) []byte {
	raw := to.As16()
	mac := net.HardwareAddr{0x33, 0x33, raw[12], raw[13], raw[14], raw[15]}
	binary.BigEndian.PutUint16(message[2:], 0)
	sumSegment(linkLocal, to, unix.IPPROTO_ICMPV6, message, 2)
	packet := ip(linkLocal, to, unix.IPPROTO_ICMPV6, message)
	packet[7] = 255
	return ethernet(mac, h.MAC, unix.ETH_P_IPV6, packet)
}

func neighbourDiscovery(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	if !h.HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	other := netip.MustParseAddr("2001:db8:18::77")
	solicitation := append([]byte{135, 0, 0, 0, 0, 0, 0, 0}, other.AsSlice()...)
	advertisement := append([]byte{136, 0, 0, 0, 0x20, 0, 0, 0}, other.AsSlice()...)
	return l.say(
		h.icmp6Message(netip.MustParseAddr("ff02::1:ff00:77"), solicitation), // a group that nobody joined
		h.icmp6Message(allNodes, solicitation),
		h.icmp6Message(allNodes, append(advertisement, append([]byte{2, 1}, h.MAC...)...)))
}

func routerAdvertisements(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	if !h.HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	prefix := netip.MustParseAddr("2001:db8:2::")
	message := []byte{134, 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	message = append(message, 3, 4, 64, 0xc0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0)
	message = append(message, prefix.AsSlice()...)
	solicitation := []byte{133, 0, 0, 0, 0, 0, 0, 0}
	for _, h := range l.Hosts[1:] { // which look for duplicates
		if err := h.Sysctl("ipv6/conf/"+h.Device+"/accept_dad", "1"); err != nil {
			return err
		}
	}
	err := l.say(h.icmp6Message(allNodes, message), h.icmp6Message(netip.MustParseAddr("ff02::2"), solicitation))
	if err != nil {
		return err
	}
	for _, h := range l.Hosts[1:] {
		if err := h.awaitUsable(h.Addr6); err != nil { // addresses of the new prefix too
			return err
		}
	}
	return nil
}

// igmpMessage is a frame with an IGMPv2 message.
func (h *Host) igmpMessage(kind byte, to, group netip.Addr) []byte {
	message := append([]byte{kind, 0, 0, 0}, group.AsSlice()...)
	if kind == igmpQuery {
		message[1] = 1 // answers within a tenth of a second
	}
	binary.BigEndian.PutUint16(message[2:], fold(sum(message)))
	raw := to.As4()
	packet := ip(h.Addr4, to, unix.IPPROTO_IGMP, message)
	packet[8] = 1
	sumIPv4(packet)
	return ethernet(net.HardwareAddr{1, 0, 0x5e, raw[1] & 0x7f, raw[2], raw[3]}, h.MAC, unix.ETH_P_IP, packet)
}

// Kinds of IGMP messages, RFC 2236.
const igmpQuery, igmpReport, igmpLeave = 0x11, 0x16, 0x17

func igmp(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	group := netip.AddrFrom4([4]byte{239, 5, 6, 7})
	err := l.say(
		h.igmpMessage(igmpQuery, netip.AddrFrom4([4]byte{224, 0, 0, 1}), netip.IPv4Unspecified()),
		h.igmpMessage(igmpReport, group, group),
		h.igmpMessage(igmpReport, netip.AddrFrom4([4]byte{224, 0, 0, 1}), group),
		h.igmpMessage(igmpLeave, netip.AddrFrom4([4]byte{224, 0, 0, 2}), group))
	rest()
	return err
}

func mld(_ context.Context, l *LAN) error {
	h := l.Hosts[0]
	if !h.HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	group := netip.MustParseAddr("ff02::4242")
	message := func(kind byte, to, about netip.Addr) []byte {
		frame := h.icmp6Message(to, append([]byte{kind, 0, 0, 0, 0, 50, 0, 0}, about.AsSlice()...))
		return routerAlert(frame)
	}
	// One after the other: more than 32 at once are too many (MLD_MAX_SKBS).
	for range copies {
		err := h.frames(message(130, allNodes, netip.IPv6Unspecified()), message(131, group, group),
			message(132, netip.MustParseAddr("ff02::2"), group))
		if err != nil {
			return err
		}
		rest()
	}
	return nil
}

// routerAlert gives a frame with an IPv6 packet of one hop the option that MLD bears.
func routerAlert(frame []byte) []byte {
	packet := frame[ethernetLen:]
	option := []byte{packet[6], 0, 5, 2, 0, 0, 1, 0}
	p := append(append(append([]byte{}, packet[:ipv6Len]...), option...), packet[ipv6Len:]...)
	p[6], p[7] = unix.IPPROTO_HOPOPTS, 1
	binary.BigEndian.PutUint16(p[4:], uint16(len(p)-ipv6Len))
	return append(frame[:ethernetLen:ethernetLen], p...)
}

// elsewhere is the address of no host at the switch.
var elsewhereMAC = net.HardwareAddr{0x02, 0x6c, 0x61, 0x6e, 0xff, 0xff}

// stray is a datagram for a host that is not there, in a frame for it.
func (h *Host) stray() []byte {
	to := netip.AddrPortFrom(elsewhere4, dstPort)
	packet := ip(h.Addr4, to.Addr(), unix.IPPROTO_UDP, udp(netip.AddrPortFrom(h.Addr4, srcPort), to, make([]byte, 60)))
	return ethernet(elsewhereMAC, h.MAC, unix.ETH_P_IP, packet)
}

func flooding(_ context.Context, l *LAN) error { return l.say(l.Hosts[0].stray()) }

func promiscuous(_ context.Context, l *LAN) error {
	h := l.Hosts[1]
	fd, err := h.socket(unix.AF_PACKET, unix.SOCK_RAW, int(hostToNet(unix.ETH_P_ALL)))
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	member := &unix.PacketMreq{Ifindex: int32(h.Ifindex), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, member); err != nil {
		return fmt.Errorf("set %s promiscuous: %w", h.Device, err)
	}
	if err := l.say(h.stray(), l.Hosts[0].stray()); err != nil {
		return err
	}
	return drain(fd)
}

// drain reads what a socket holds.
func drain(fd int) error {
	for {
		_, _, err := unix.Recvfrom(fd, make([]byte, 2048), unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EAGAIN) {
			return nil
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func hostToNet(n uint16) uint16 {
	return binary.BigEndian.Uint16(binary.NativeEndian.AppendUint16(nil, n))
}
