// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// TestOverloaded steers packets to one CPU, which has to try thousands of rules of a
// firewall for each: it is found to do most of the receiving, and to leave much of that to
// ksoftirqd.
func TestOverloaded(t *testing.T) {
	labtest.NeedRoot(t)
	if runtime.NumCPU() < 2 {
		t.Fatal("needs two CPUs")
	}
	network, err := lab.NewNet()
	labtest.Need(t, err)
	closeAfter(t, network)
	// The /sys that a mount shows is that of the namespace it was made in.
	command(t, network.Rx, "unshare", "--mount", "sh", "-c", "mount -t sysfs sys /sys && echo 2 > /sys/class/net/"+network.Rx.Device+"/queues/rx-0/rps_cpus")
	rules := "add table ip slow\nadd chain ip slow in { type filter hook prerouting priority -300; }\n"
	for i := range 4000 {
		rules += fmt.Sprintf("add rule ip slow in udp length %d drop\n", 2000+i)
	}
	file := filepath.Join(t.TempDir(), "rules")
	check(t, os.WriteFile(file, []byte(rules), 0o600))
	command(t, network.Rx, "nft", "-f", file)
	flood, err := network.NewFlood(lab.FloodOptions{CPU: 0})
	labtest.Need(t, err)
	closeAfter(t, flood)
	root := node.Root{FS: os.DirFS("/")}
	in := Input{State: state(t, network)}
	var hot, thread bool
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline) && !(hot && thread); {
		in.LoadBefore = root.ReadLoad()
		start := time.Now()
		_, err := flood.Pace(t.Context(), lab.Sendto, 50_000, 2*time.Second)
		check(t, err)
		in.LoadAfter, in.Elapsed = root.ReadLoad(), time.Since(start)
		cpu, work, part, ok := newNode(in).hotCPU()
		hot = ok && cpu == 1
		thread = slices.ContainsFunc(Find(in), func(f Finding) bool { return f.ID == "ksoftirqd" && f.Evidence[0].Value == uint64(1) })
		t.Logf("CPU %d: softirqs %.0f %%, %.0f %% of those of all; %v", cpu, 100*work, 100*part, Find(in))
	}
	if !hot || !thread {
		t.Errorf("found CPU 1 %t, its ksoftirqd %t", hot, thread)
	}
}
