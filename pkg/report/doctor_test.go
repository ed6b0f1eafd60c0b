// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/privilege"
)

// patient is a node with a finding, a ledger, hooks that do not work and a limit.
func patient() *Doctor {
	result := func(hook, rung, why string) event.AttachResult {
		return event.AttachResult{Hook: event.Hook{Name: hook, Rung: rung}, Why: why}
	}
	host1 := event.Netns{Inode: 1, Name: "host"}
	d := &Doctor{
		Host: "node7", Kernel: "5.15.0", Start: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), Duration: 10 * time.Second,
		Findings: []finding.Finding{{
			ID: "rx-ring", Severity: finding.Critical, Device: "enP1s1", Netns: host1,
			Evidence: []finding.Fact{{Name: "rx_missed_errors", Value: uint64(5321081)}, {Name: "per_s", Value: 532.1}, {Name: "driver", Value: "mlx5_core"}},
			Explain:  "The device found no free descriptor for packets that it received, as its ring holds fewer than came in the time that its CPU was away.",
			Fix:      []string{"ethtool -G enP1s1 rx 8192"},
			Persist:  []string{"/etc/udev/rules.d/90-dropwatch.rules: ACTION==\"add|move\", SUBSYSTEM==\"net\"", "a DaemonSet"},
			Undo:     []string{"ethtool -G enP1s1 rx 1024"}, Cost: "14 MiB, and the link goes down for a moment",
		}, {ID: "steal", Severity: finding.Info, Explain: "The hypervisor took time."}},
		Ledger: &ledger.Ledger{
			Rows: []ledger.Row{{
				Counter: event.Counter{Source: event.CounterLink, Name: "rx_missed_errors", Netns: host1, Device: "enP1s1"},
				Delta:   5321, Unseen: 5321,
			}},
			Counted: 5321, Explained: 5321, Uncounted: 3,
		},
		Hooks: []event.AttachResult{
			result("skb:kfree_skb", "tp_btf", ""), result("skb:kfree_skb", "raw_tp", ""),
			result("icmp_echo", "fentry", "operation not permitted"), result("icmp_echo", "tracepoint", ""),
			result("irq:softirq_raise", "tp_btf", "not in this kernel"),
		},
		Facts: []privilege.Fact{{Name: "BTF", Value: "there"}, {Name: "lockdown", Value: "confidentiality", Limit: "no packets"}},
		Blind: []string{"XDP on eth0"}, Notes: []string{"ethtool of eth1: permission denied"},
	}
	for _, name := range []string{"a:b", "c:d", "e:f", "g:h", "i:j"} {
		d.Hooks = append(d.Hooks, result(name, "tp_btf", ""))
	}
	return d
}

func TestDoctor(t *testing.T) {
	var b bytes.Buffer
	if err := WriteDoctorText(&b, patient(), 100, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor.txt", b.Bytes())
	b.Reset()
	if err := WriteDoctorJSON(&b, patient()); err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor.json", b.Bytes())
}
