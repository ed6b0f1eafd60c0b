// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"os/exec"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/lab"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/ledger"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// losses are ways to lose packets, each with the rows that count them, one for each
// packet; none where the kernel counts them nowhere.
var losses = map[string][]string{
	"cpu-backlog":          {"link rx_dropped", "softnet dropped"},
	"udp-socket-full":      {"protocol UdpInErrors", "protocol UdpRcvbufErrors"},
	"tbf-overlimit":        {"qdisc dropped"},
	"nft-input":            nil,
	"udp-closed-port":      {"protocol UdpNoPorts"},
	"udp6-closed-port":     {"protocol Udp6NoPorts"},
	"udp-bad-checksum":     {"protocol UdpInErrors", "protocol UdpInCsumErrors"},
	"xdp-generic":          nil,
	"tc-ingress":           {"qdisc dropped"},
	"neighbour-queue-full": {"neighbour unresolved_discards"},
	"tcp-listen-overflow":  {"protocol TcpExtListenDrops", "protocol TcpExtListenOverflows"},
	"ip-reverse-path":      {"protocol TcpExtIPReversePathFilter"},
	"ip-bad-checksum":      {"protocol IpInHdrErrors", "protocol IpExtInCsumErrors"},
	"ip-unknown-protocol":  {"protocol IpInUnknownProtos"},
	"no-route":             {"protocol IpExtInNoRoutes"},
	"unknown-ethertype":    {"link rx_dropped"},
	"other-host":           {"link rx_otherhost_dropped"},
}

// TestLosses has packets die in many ways, and looks for each in the ledger: counted
// by whom the kernel counts it, all of it traced, nothing left unexplained.
func TestLosses(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 200
	done := 0
	for _, s := range lab.Scenarios() {
		rows, ok := losses[s.Name]
		if !ok {
			continue
		}
		done++
		t.Run(s.Name, func(t *testing.T) {
			scene, err := s.Prepare()
			labtest.Need(t, err)
			defer func() {
				if err := scene.Close(); err != nil {
					t.Error(err)
				}
			}()
			settle(t, scene.Net().Rx)
			settle(t, scene.Net().Tx)
			l := keep(t, func() error {
				_, err := scene.Send(t.Context(), n)
				return err
			})
			want := map[string]bool{}
			for _, name := range rows {
				want[name] = true
			}
			for _, r := range l.Rows {
				ours := r.Netns.Inode == scene.Net().Rx.Netns || r.Netns.Inode == scene.Net().Tx.Netns || r.Netns.Inode == 0
				if !ours {
					continue
				}
				if r.Unexplained != 0 {
					t.Errorf("unexplained: %+v", r)
				}
				if name := string(r.Source) + " " + r.Name; want[name] && r.Delta >= n && r.Traced >= n {
					delete(want, name)
				}
			}
			for name := range want {
				t.Errorf("no %d packets in %s: %+v", n, name, l.Rows)
			}
			if rows == nil && l.Uncounted < n {
				t.Errorf("%d drops are in no counter, want %d: %+v", l.Uncounted, n, l.Rows)
			}
		})
	}
	if done != len(losses) {
		t.Errorf("%d of %d ways are in the lab", done, len(losses))
	}
}

// settle has a process live in a host's namespace, as one does in a container: counters
// are read of namespaces that have a name or a process.
func settle(t *testing.T, h *lab.Host) {
	t.Helper()
	process := exec.Command("sleep", "60")
	if err := h.Do(process.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait() // killed
	})
}

// keep traces while something is done.
func keep(t *testing.T, do func() error) *ledger.Ledger {
	t.Helper()
	tracer, err := trace.Open(trace.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer tracer.Close()
	book := ledger.NewBook()
	if err := do(); err != nil {
		t.Fatal(err)
	}
	if err := tracer.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := profile.Each(tracer, func(e event.Event) error { book.Add(e); return nil }); err != nil {
		t.Fatal(err)
	}
	l := book.Ledger()
	if l == nil {
		t.Fatal("counters were not read")
	}
	return l
}
