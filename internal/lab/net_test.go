// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"strings"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestNetIsSilent waits longer than the kernel does before it repeats multicast
// reports and router solicitations.
func TestNetIsSilent(t *testing.T) {
	labtest.NeedRoot(t)
	for name, arp := range map[string]bool{"static": false, "arp": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, err := newNet(arp)
			labtest.Need(t, err)
			defer n.Close()
			time.Sleep(12 * time.Second)
			for _, h := range []*Host{n.Tx, n.Rx} {
				link, err := h.nl.LinkByName(h.Device)
				if err != nil {
					t.Fatal(err)
				}
				if s := link.Attrs().Statistics; s.TxPackets != 0 {
					t.Errorf("%s sent %d packets by itself", h.Device, s.TxPackets)
				}
			}
		})
	}
}

func TestParseCounters(t *testing.T) {
	const file = "Udp: InDatagrams NoPorts\nUdp: 4 5\nTcp: MaxConn OutRsts\nTcp: -1 7\nUdp6NoPorts    \t9\n\nodd line here\n"
	got, err := parseCounters(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]uint64{"Udp.InDatagrams": 4, "Udp.NoPorts": 5, "Tcp.OutRsts": 7, "Udp6NoPorts": 9} {
		if got[key] != want {
			t.Errorf("%s: got %d, want %d", key, got[key], want)
		}
	}
}

func TestMissingFrames(t *testing.T) {
	e := Expect{Frames: [][]string{{"ip_rcv"}, {"nft_do_chain", "nf_hook_slow"}}}
	if missing := e.MissingFrames([]string{"nft_do_chain.isra.0", "ip_rcv"}); missing != nil {
		t.Errorf("got %v missing, want none", missing)
	}
	missing := e.MissingFrames([]string{"ip_rcv_core", "nf_hook_slow"})
	if len(missing) != 1 || missing[0][0] != "ip_rcv" {
		t.Errorf("got %v missing, want ip_rcv", missing)
	}
}
