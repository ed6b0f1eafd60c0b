// SPDX-License-Identifier: Apache-2.0

package event

import (
	"encoding/binary"
	"net/netip"
)

// Packet is what the headers of a packet say. Fields that its protocol lacks, or
// that lie past the bytes at hand, are zero.
type Packet struct {
	HasVLAN  bool
	VLAN     uint16 // id of the outermost tag, without priority bits
	HasInner bool
	Inner    uint16 // id of the tag behind it
	Version  uint8  // 4, 6, or 0 if not IP
	Protocol uint8  // IP protocol number, behind extension headers
	TTL      uint8  // or hop limit
	Fragment bool   // a fragment other than the first: no ports
	Src, Dst netip.Addr
	SrcPort  uint16 // TCP, UDP, SCTP, DCCP, UDP-Lite
	DstPort  uint16
	TCPFlags uint8
	HasICMP  bool
	ICMPType uint8
	ICMPCode uint8
	EchoID   uint16 // of an echo request or reply
	EchoSeq  uint16
	// Ethertype behind tags, where that of its cell is OtherEthertype.
	Ethertype uint16
}

// Ethertypes dropwatch looks into, IEEE 802 numbers.
const (
	EthertypeIPv4 = 0x0800
	EthertypeARP  = 0x0806
	EthertypeVLAN = 0x8100
	EthertypeQinQ = 0x88a8
	EthertypeIPv6 = 0x86dd
)

// IP protocol numbers, as IANA assigns them.
const (
	ProtocolICMP    = 1
	ProtocolTCP     = 6
	ProtocolUDP     = 17
	ProtocolICMPv6  = 58
	ProtocolSCTP    = 132
	protocolDCCP    = 33
	protocolUDPLite = 136
)

// ParsePacket reads headers from the bytes of a packet that begin with what
// ethertype names.
func ParsePacket(ethertype uint16, b []byte) Packet {
	var p Packet
	p.Parse(ethertype, b)
	return p
}

func isTag(ethertype uint16) bool { return ethertype == EthertypeVLAN || ethertype == EthertypeQinQ }

// AddTag adds a VLAN tag, the outermost first; tci is its priority and id. Packet has
// room for two, and forgets further ones.
func (p *Packet) AddTag(tci uint16) {
	switch id := tci & 0xfff; {
	case !p.HasVLAN:
		p.HasVLAN, p.VLAN = true, id
	case !p.HasInner:
		p.HasInner, p.Inner = true, id
	}
}

// AddTags adds the VLAN tags at the start of b, which holds what ethertype names. It
// returns the bytes behind the tags, and what these hold.
func (p *Packet) AddTags(ethertype uint16, b []byte) (uint16, []byte) {
	for isTag(ethertype) && len(b) >= 4 {
		p.AddTag(binary.BigEndian.Uint16(b))
		ethertype, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	return ethertype, b
}

// Parse reads headers as ParsePacket does, into a packet whose outer tags may be known.
func (p *Packet) Parse(ethertype uint16, b []byte) {
	ethertype, b = p.AddTags(ethertype, b)
	switch {
	case ethertype == EthertypeIPv4 && len(b) >= 20 && b[0]>>4 == 4:
		p.parseIPv4(b)
	case ethertype == EthertypeIPv6 && len(b) >= 40 && b[0]>>4 == 6:
		p.parseIPv6(b)
	}
}

func (p *Packet) parseIPv4(b []byte) {
	p.Version, p.TTL, p.Protocol = 4, b[8], b[9]
	p.Src, p.Dst = netip.AddrFrom4([4]byte(b[12:16])), netip.AddrFrom4([4]byte(b[16:20]))
	if binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		p.Fragment = true
		return
	}
	if header := int(b[0]&0xf) * 4; header >= 20 && header <= len(b) {
		p.parseTransport(b[header:])
	}
}

func (p *Packet) parseIPv6(b []byte) {
	p.Version, p.Protocol, p.TTL = 6, b[6], b[7]
	p.Src, p.Dst = netip.AddrFrom16([16]byte(b[8:24])), netip.AddrFrom16([16]byte(b[24:40]))
	b = b[40:]
	for {
		size, last := 0, len(b) < 8
		switch p.Protocol {
		case 0, 43, 60, 135: // hop-by-hop, routing, destination options, mobility
			if !last {
				size = (int(b[1]) + 1) * 8
			}
		case 44: // fragment
			if !last {
				size = 8
				p.Fragment = binary.BigEndian.Uint16(b[2:])&0xfff8 != 0
			}
		case 51: // authentication
			if !last {
				size = (int(b[1]) + 2) * 4
			}
		default:
			if !p.Fragment {
				p.parseTransport(b)
			}
			return
		}
		if size == 0 || size > len(b) {
			return
		}
		p.Protocol, b = b[0], b[size:]
		if p.Fragment {
			return
		}
	}
}

func (p *Packet) parseTransport(b []byte) {
	switch p.Protocol {
	case ProtocolTCP, ProtocolUDP, ProtocolSCTP, protocolDCCP, protocolUDPLite:
		if len(b) < 4 {
			return
		}
		p.SrcPort, p.DstPort = binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		if p.Protocol == ProtocolTCP && len(b) >= 14 {
			p.TCPFlags = b[13]
		}
	case ProtocolICMP, ProtocolICMPv6:
		if len(b) < 8 {
			return
		}
		p.HasICMP, p.ICMPType, p.ICMPCode = true, b[0], b[1]
		if p.IsEcho() {
			p.EchoID, p.EchoSeq = binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])
		}
	}
}

// IsEcho reports whether the packet is an ICMP echo request or reply.
func (p *Packet) IsEcho() bool {
	switch {
	case !p.HasICMP:
		return false
	case p.Protocol == ProtocolICMP:
		return p.ICMPType == 8 || p.ICMPType == 0
	}
	return p.ICMPType == 128 || p.ICMPType == 129
}
