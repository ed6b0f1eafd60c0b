// SPDX-License-Identifier: Apache-2.0

package event

import "fmt"

// ProtocolName names an IP protocol number as tcpdump does; "proto 99" if it has
// no common name.
func ProtocolName(number uint8) string {
	switch number {
	case ProtocolICMP:
		return "ICMP"
	case 2:
		return "IGMP"
	case 4:
		return "IPIP"
	case ProtocolTCP:
		return "TCP"
	case ProtocolUDP:
		return "UDP"
	case protocolDCCP:
		return "DCCP"
	case 41:
		return "SIT"
	case 47:
		return "GRE"
	case 50:
		return "ESP"
	case 51:
		return "AH"
	case ProtocolICMPv6:
		return "ICMPv6"
	case 89:
		return "OSPF"
	case 112:
		return "VRRP"
	case ProtocolSCTP:
		return "SCTP"
	case protocolUDPLite:
		return "UDPLite"
	}
	return fmt.Sprintf("proto %d", number)
}

// Proto names the protocol a cell counts: the transport of IP packets, else the
// ethertype, else the address family of the socket.
func (c *Cell) Proto() string {
	switch c.Ethertype {
	case EthertypeIPv4, EthertypeIPv6:
		if c.Protocol != 0 {
			return ProtocolName(c.Protocol)
		}
		return ethertypeName(c.Ethertype)
	case 0:
		return familyName(c.Family)
	}
	return ethertypeName(c.Ethertype)
}

// ethertypeName spells the ethertypes that turn up on servers; IEEE 802 numbers.
func ethertypeName(ethertype uint16) string {
	switch ethertype {
	case 0x0004:
		return "802.2"
	case EthertypeIPv4:
		return "IPv4"
	case EthertypeARP:
		return "ARP"
	case EthertypeVLAN:
		return "VLAN"
	case EthertypeIPv6:
		return "IPv6"
	case 0x8847, 0x8848:
		return "MPLS"
	case 0x8863, 0x8864:
		return "PPPoE"
	case 0x888e:
		return "EAPOL"
	case EthertypeQinQ:
		return "QinQ"
	case 0x88cc:
		return "LLDP"
	case 0x88f7:
		return "PTP"
	}
	return fmt.Sprintf("ethertype 0x%04x", ethertype)
}

// familyName spells address families; include/linux/socket.h.
func familyName(family uint8) string {
	switch family {
	case 0:
		return "unknown"
	case 1:
		return "AF_UNIX"
	case 2:
		return "AF_INET"
	case 10:
		return "AF_INET6"
	case 16:
		return "AF_NETLINK"
	case 17:
		return "AF_PACKET"
	case 29:
		return "AF_CAN"
	case 31:
		return "AF_BLUETOOTH"
	case 40:
		return "AF_VSOCK"
	case 44:
		return "AF_XDP"
	}
	return fmt.Sprintf("AF %d", family)
}
