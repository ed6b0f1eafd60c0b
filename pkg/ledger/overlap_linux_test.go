// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestOverlap has fragments overlap, in IPv4 and IPv6: the second of two is freed without
// a reason, and counted as a packet that could not be put together. Before 6.3 the first
// is freed as dropped too, which nothing counts (inet_frag_rbtree_purge).
func TestOverlap(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 30
	for _, test := range []struct {
		counter string
		send    func(fd int, network *lab.Net, id uint32, offset int) error
	}{
		{"IpReasmFails", fragment4}, {"Ip6ReasmFails", fragment6},
	} {
		t.Run(test.counter, func(t *testing.T) {
			network, err := lab.NewNet()
			labtest.Need(t, err)
			t.Cleanup(func() {
				if err := network.Close(); err != nil {
					t.Error(err)
				}
			})
			name(t, network)
			fd := wire(t, network)
			k := keep(t, func(context.Context) error {
				for id := range uint32(n) {
					if err := errors.Join(test.send(fd, network, id+1, 0), test.send(fd, network, id+1, 32)); err != nil {
						return err
					}
				}
				return nil
			})
			var packets uint64
			for i := range k.Rows {
				if r := &k.Rows[i]; r.Netns.Inode == network.Rx.Netns {
					packets += r.Packets
					if r.Name != test.counter || r.Delta != n || r.Traced != n || r.Unexplained != 0 {
						t.Errorf("%+v, want %d of %s traced", *r, n, test.counter)
					}
				}
			}
			if packets != n {
				t.Errorf("%d packets counted, want %d: %+v", packets, n, k.Rows)
			}
		})
	}
}

// fragment4 sends 64 bytes of a datagram of UDP, and says that more come.
func fragment4(fd int, network *lab.Net, id uint32, offset int) error {
	const more = 0x2000
	return put(fd, network, unix.ETH_P_IP, header4(network, unix.IPPROTO_UDP, uint16(id), more|uint16(offset/8), make([]byte, 64)))
}

// header4 puts a payload into an IPv4 packet for the receiver.
func header4(network *lab.Net, protocol uint8, id, fragment uint16, payload []byte) []byte {
	p := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(payload)))
	p = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(p, id), fragment)
	p = slices.Concat(append(p, 64, protocol, 0, 0), network.Tx.Addr4.AsSlice(), network.Rx.Addr4.AsSlice(), payload)
	var sum uint32
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum>>16+sum))
	return p
}

func fragment6(fd int, network *lab.Net, id uint32, offset int) error {
	header := binary.BigEndian.AppendUint16([]byte{unix.IPPROTO_UDP, 0}, uint16(offset)|1)
	header = binary.BigEndian.AppendUint32(header, id)
	return put(fd, network, unix.ETH_P_IPV6, slices.Concat([]byte{0x60, 0, 0, 0, 0, 72, unix.IPPROTO_FRAGMENT, 64},
		network.Tx.Addr6.AsSlice(), network.Rx.Addr6.AsSlice(), header, make([]byte, 64)))
}

// wire opens a socket of the sender that goes with the test.
func wire(t *testing.T, network *lab.Net) (fd int) {
	t.Helper()
	err := network.Tx.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// put has a packet leave by the sender's device.
func put(fd int, network *lab.Net, ethertype uint16, packet []byte) error {
	to := &unix.SockaddrLinklayer{Ifindex: network.Tx.Ifindex, Halen: 6, Protocol: ethertype<<8 | ethertype>>8}
	copy(to.Addr[:], network.Rx.MAC)
	return unix.Sendto(fd, packet, 0, to)
}
