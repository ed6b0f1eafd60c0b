// SPDX-License-Identifier: Apache-2.0

package host

import (
	"testing"
	"testing/fstest"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestHints(t *testing.T) {
	files := Files{fstest.MapFS{
		"sys/fs/cgroup/cgroup.stat":           file("nr_descendants 3\nnr_dying_descendants 1500\n"),
		"sys/fs/cgroup/kubepods/memory.stat":  file(""),
		"proc/cgroups":                        file("#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t4\t70\t1\n"),
		"proc/net/ip_vs":                      file("IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port\nTCP  0A000001:0050 rr\n  -> 0A000002:0050 Masq 1 0 0\nUDP  0A000001:0035 rr\n"),
		"proc/sys/net/ipv4/vs/run_estimation": file("1\n"),
		"proc/sys/net/core/netdev_budget":     file("300\n"),
	}}
	v1 := Files{fstest.MapFS{
		"proc/cgroups":                     file("memory\t4\t70\t1\n"),
		"sys/fs/cgroup/memory/a/b/tasks":   file(""),
		"sys/fs/cgroup/memory/memory.stat": file(""),
	}}
	none := Files{fstest.MapFS{}}
	for want, got := range map[string]string{
		"1500 dying cgroups below /sys/fs/cgroup":                           files.DyingCgroups("/sys/fs/cgroup/kubepods/memory.stat"),
		"70 cgroups in 3 directories of memory: 67 are dying":               v1.DyingCgroups("/sys/fs/cgroup/memory/memory.stat"),
		"2 IPVS services in this namespace, net.ipv4.vs.run_estimation = 1": files.IPVS(),
		"net.core.netdev_budget = 300":                                      files.Sysctls("net.core.netdev_budget", "net.core.netdev_budget_usecs"),
		"":                                                                  none.DyingCgroups("/sys/fs/cgroup/memory.stat") + none.IPVS() + none.Sysctls("net.core.netdev_budget"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
