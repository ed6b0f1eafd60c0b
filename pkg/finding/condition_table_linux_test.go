// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// fullNeighbours looks for more neighbours than fit beside those there are.
func fullNeighbours(t *testing.T, network *lab.Net) {
	for _, n := range (node.Root{FS: os.DirFS("/")}).Neighbours() {
		if n.Family == "ipv4" {
			for i, name := range []string{"gc_thresh1", "gc_thresh2", "gc_thresh3"} {
				global(t, "net/ipv4/neigh/default/"+name, strconv.FormatUint(n.Entries+uint64(i)+1, 10))
			}
		}
	}
	var conn *net.UDPConn
	check(t, network.Tx.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", nil)
		return err
	}))
	defer conn.Close()
	address := network.Rx.Addr4
	for range 50 {
		address = address.Next()
		_, _ = conn.WriteToUDPAddrPort([]byte{1}, netip.AddrPortFrom(address, 20100)) // fails where there is no room
	}
}
