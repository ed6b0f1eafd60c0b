// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestReferee compares rows with what the usual tools say before and after, which share
// no code with this project: ip, tc and nstat, and /proc/net/xfrm_stat by cat.
func TestReferee(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 60
	for _, name := range []string{"veth-mtu", "tbf-overlimit", "loopback-down", "xfrm-policy-in", "udp6-closed-port", "ip-fragment-memory"} {
		t.Run(name, func(t *testing.T) {
			all := lab.Scenarios()
			s := prepare(t, all[slices.IndexFunc(all, func(s lab.Scenario) bool { return s.Name == name })])
			labtest.Need(t, s.err)
			before := referee(t, s)
			k := keep(t, func(ctx context.Context) error {
				_, err := s.Send(ctx, n)
				return err
			})
			after := referee(t, s)
			want, got := map[string]uint64{}, map[string]uint64{}
			var packets uint64
			for i := range k.Rows {
				if r := &k.Rows[i]; s.has(r.Netns) {
					got[title(r.Counter)] += r.Delta
					packets += r.Packets
				}
			}
			for counter, value := range after {
				_, known := got[counter]
				if moved := value - before[counter]; moved > 0 && (known || lossy(counter)) {
					want[counter] = moved
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || packets != n {
				t.Errorf("%d packets, want %d; counters, as tools say and as rows do (-want +got):\n%s", packets, n, diff)
			}
			t.Log(got)
		})
	}
}

// title spells a counter as referee does.
func title(c event.Counter) string {
	text := fmt.Sprintf("%d %s %s", c.Netns.Inode, c.Device, c.Name)
	if c.Source == event.CounterQdisc {
		text += " of qdiscs"
	}
	return text
}

// lossy tells which of the tools' counters have to be rows.
func lossy(counter string) bool {
	name := strings.Fields(counter)[len(strings.Fields(counter))-1]
	return strings.Contains(name, "drop") || strings.HasSuffix(name, "InErrors") || strings.HasSuffix(name, "Discards") ||
		strings.HasSuffix(name, "NoPorts") || strings.HasSuffix(name, "ReasmFails") || strings.HasPrefix(name, "Xfrm") || name == "qdiscs"
}

// referee reads the counters of a scene's namespaces by tools.
func referee(t *testing.T, s *scene) map[string]uint64 {
	t.Helper()
	counters := map[string]uint64{}
	for _, h := range []*lab.Host{s.Net().Rx, s.Net().Tx} {
		netns := fmt.Sprintf("ledger-test-%d", h.Netns)
		run := func(command ...string) []byte {
			out, err := exec.Command("ip", append([]string{"netns", "exec", netns}, command...)...).Output()
			if err != nil {
				t.Fatalf("%q: %v", command, err)
			}
			return out
		}
		set := func(device, name string, value uint64) {
			counters[fmt.Sprintf("%d %s %s", h.Netns, device, name)] += value
		}
		var links []struct {
			Name  string `json:"ifname"`
			Stats map[string]struct {
				Dropped uint64 `json:"dropped"`
			} `json:"stats64"`
		}
		read(t, run("ip", "-j", "-s", "link"), &links)
		for _, link := range links {
			set(link.Name, "rx_dropped", link.Stats["rx"].Dropped)
			set(link.Name, "tx_dropped", link.Stats["tx"].Dropped)
		}
		var qdiscs []struct {
			Device string `json:"dev"`
			Drops  uint64 `json:"drops"`
		}
		read(t, run("tc", "-j", "-s", "qdisc"), &qdiscs)
		for _, q := range qdiscs {
			set(q.Device, "dropped of qdiscs", q.Drops)
		}
		var stat struct {
			Kernel map[string]uint64 `json:"kernel"`
		}
		read(t, run("nstat", "-a", "-z", "-s", "-j"), &stat)
		for name, value := range stat.Kernel {
			set("", name, value)
		}
		pairs(t, run("cat", "/proc/net/xfrm_stat"), func(name string, value uint64) { set("", name, value) })
	}
	return counters
}

func read(t *testing.T, text []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

func pairs(t *testing.T, text []byte, do func(name string, value uint64)) {
	t.Helper()
	for line := range strings.Lines(string(text)) {
		var name string
		var value uint64
		if _, err := fmt.Sscan(line, &name, &value); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		do(name, value)
	}
}
