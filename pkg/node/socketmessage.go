// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// From uapi/linux/inet_diag.h and sock_diag.h.
const (
	sizeofDiagRequest = 56 // struct inet_diag_req_v2
	sizeofDiagMessage = 72 // struct inet_diag_msg
	diagMemory        = 7  // INET_DIAG_SKMEMINFO
	memoryHeld        = 0  // SK_MEMINFO_RMEM_ALLOC
	memoryBuffer      = 1  // SK_MEMINFO_RCVBUF
	memoryDrops       = 8  // SK_MEMINFO_DROPS
)

// Socket states (include/net/tcp_states.h); a request has one bit for each.
const (
	stateListen = 10
	stateAll    = 0xffffffff
)

// diagRequest returns a request for the sockets of a family and protocol in some states.
func diagRequest(family, protocol uint8, states uint32) []byte {
	request := make([]byte, sizeofDiagRequest)
	request[0], request[1] = family, protocol
	request[2] = 1 << (diagMemory - 1)
	binary.NativeEndian.PutUint32(request[4:], states)
	return request
}

// parseSocket parses a struct inet_diag_msg and its attributes. The caller sets the namespace
// and the protocol.
func parseSocket(message []byte) (Socket, error) {
	if len(message) < sizeofDiagMessage {
		return Socket{}, fmt.Errorf("parse socket: %d bytes", len(message))
	}
	family, listens := message[0], message[1] == stateListen
	s := Socket{
		Listens: listens,
		Local:   diagAddress(family, message[4:], message[8:]),
		Peer:    diagAddress(family, message[6:], message[24:]),
		Cookie:  uint64(binary.NativeEndian.Uint32(message[48:]))<<32 | uint64(binary.NativeEndian.Uint32(message[44:])),
		Inode:   binary.NativeEndian.Uint32(message[68:]),
	}
	if listens { // tcp_diag_get_info, net/ipv4/tcp_diag.c
		s.Waiting = binary.NativeEndian.Uint32(message[56:])
		s.Backlog = binary.NativeEndian.Uint32(message[60:])
	}
	err := rtnl.Attributes(message[sizeofDiagMessage:], func(kind uint16, value []byte) error {
		if kind == diagMemory && len(value) >= 4*(memoryDrops+1) {
			s.Held = binary.NativeEndian.Uint32(value[4*memoryHeld:])
			s.Buffer = binary.NativeEndian.Uint32(value[4*memoryBuffer:])
			s.Drops = binary.NativeEndian.Uint32(value[4*memoryDrops:])
		}
		return nil
	})
	if err != nil {
		return Socket{}, fmt.Errorf("parse socket: %w", err)
	}
	return s, nil
}

// diagAddress decodes a port and an address in network byte order.
func diagAddress(family uint8, port, address []byte) netip.AddrPort {
	ip := netip.AddrFrom4([4]byte(address))
	if family == unix.AF_INET6 {
		ip = netip.AddrFrom16([16]byte(address))
	}
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(port))
}
