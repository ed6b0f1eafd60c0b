// SPDX-License-Identifier: Apache-2.0

package event

import "fmt"

// What cells count together: ethertypes and protocols without a name here (bpf/wire.h).
const (
	OtherEthertype = 0xffff
	OtherProtocol  = 255
)

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
	case 103:
		return "PIM"
	case 112:
		return "VRRP"
	case 115:
		return "L2TP"
	case ProtocolSCTP:
		return "SCTP"
	case protocolUDPLite:
		return "UDPLite"
	case 137:
		return "MPLS"
	}
	return fmt.Sprintf("proto %d", number)
}

// Proto names the protocol a cell counts: the transport of IP packets, else the
// ethertype, else the address family of the socket.
func (c *Cell) Proto() string {
	switch c.Ethertype {
	case EthertypeIPv4, EthertypeIPv6:
		switch c.Protocol {
		case 0:
			return ethertypeName(c.Ethertype)
		case OtherProtocol:
			return "other IP"
		}
		return ProtocolName(c.Protocol)
	case OtherEthertype:
		return "other ethertype"
	case 0:
		return familyName(c.Family)
	}
	return ethertypeName(c.Ethertype)
}

// Proto names the protocol of a packet as Cell.Proto does, also where the cell counts it
// together with others.
func (d *Drop) Proto() string {
	switch {
	case d.Packet.Ethertype != 0:
		return ethertypeName(d.Packet.Ethertype)
	case d.Cell.Protocol == OtherProtocol && d.Packet.Version != 0:
		return ProtocolName(d.Packet.Protocol)
	}
	return d.Cell.Proto()
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
	case 0x0842:
		return "WoL"
	case 0x22f0:
		return "AVTP"
	case 0x6558:
		return "TEB"
	case 0x8035:
		return "RARP"
	case EthertypeVLAN:
		return "VLAN"
	case EthertypeIPv6:
		return "IPv6"
	case 0x8808:
		return "PAUSE"
	case 0x8809:
		return "LACP"
	case 0x8847, 0x8848:
		return "MPLS"
	case 0x8863, 0x8864:
		return "PPPoE"
	case 0x888e:
		return "EAPOL"
	case 0x8892:
		return "PROFINET"
	case 0x88a4:
		return "EtherCAT"
	case EthertypeQinQ:
		return "QinQ"
	case 0x88cc:
		return "LLDP"
	case 0x88e1:
		return "HomePlug"
	case 0x88e5:
		return "MACsec"
	case 0x88f5:
		return "MVRP"
	case 0x88f7:
		return "PTP"
	case 0x8902:
		return "CFM"
	case 0x8906:
		return "FCoE"
	case 0x893a:
		return "IEEE 1905"
	case 0x9000:
		return "loopback"
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
