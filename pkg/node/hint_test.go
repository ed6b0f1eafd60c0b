// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"
	"testing/fstest"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestHints(t *testing.T) {
	root := Root{fstest.MapFS{
		"proc/net/ip_vs":                      file("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port\nTCP  0A000001:0050 rr\n  -> 0A000002:0050 Masq 1 0 0\nUDP  0A000001:0035 rr\n"),
		"proc/sys/net/ipv4/vs/run_estimation": file("1\n"),
		"proc/sys/net/core/netdev_budget":     file("300\n"),
	}}
	none := Root{fstest.MapFS{}}
	for want, got := range map[string]string{
		"2 IPVS services in this namespace, net.ipv4.vs.run_estimation = 1": root.IPVS(),
		"net.core.netdev_budget = 300":                                      root.Sysctls("net.core.netdev_budget", "net.core.netdev_budget_usecs"),
		"":                                                                  none.IPVS() + none.Sysctls("net.core.netdev_budget"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
