// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// unmoved are the scenarios whose drops no counter read here tells one by one.
var unmoved = map[string]string{
	"unicast-in-broadcast": "only IPv6 counts it",
	"nft-input":            "the rule has no counter",
	"neighbour-failed":     "counted once for a neighbour, not for a packet",
	"veth-peer-down":       noop,
	"loopback-down":        noop,
	"tun-unread":           noop,
}

const noop = "noop_qdisc has no counter; since 6.3 the device counts, see countedAt"

// TestCountersMove makes packets die and looks whether, for each reason, a
// counter that the catalogue names moves by as many, where one is in /proc/net.
func TestCountersMove(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 20
	for _, s := range lab.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			scene, err := s.Prepare()
			labtest.Need(t, err)
			defer func() {
				if err := scene.Close(); err != nil {
					t.Error(err)
				}
			}()
			// By its newest name, since older kernels count alike.
			reason := scene.Expect().Reasons[0]
			before := hostCounters(t, scene)
			if _, err := scene.Send(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			after := hostCounters(t, scene)
			var readable, moved []string
			for _, c := range infoOf(reason, scene.Expect()).Counters {
				name, _, _ := strings.Cut(c, " (")
				value, ok := after[name]
				if !ok {
					continue
				}
				readable = append(readable, c)
				if value-before[name] >= n {
					moved = append(moved, c)
				}
			}
			if len(readable) > 0 && len(moved) == 0 && unmoved[s.Name] == "" {
				t.Errorf("%d drops for %s moved none of %q", n, reason, readable)
			}
			t.Logf("%s: of %q moved %q", reason, readable, moved)
		})
	}
}

// infoOf returns what is known of a reason where a scenario has packets die, if that
// decides the class, and of the reason else.
func infoOf(reason string, want lab.Expect) Info {
	for _, function := range slices.Concat(want.Frames...) {
		if info := At(reason, function); want.Class != "" && string(info.Class) == want.Class {
			return info
		}
	}
	return Lookup(reason)
}

// hostCounters reads the counters of the host that packets die on.
func hostCounters(t *testing.T, scene *lab.Scene) map[string]uint64 {
	t.Helper()
	host := scene.Net().Tx
	if scene.Expect().Netns == scene.Net().Rx.Netns {
		host = scene.Net().Rx
	}
	var have map[string]uint64
	err := host.Do(func() error {
		have = procCounters(t, "/proc/thread-self/net")
		for _, line := range procLines(t, filepath.Join("/proc/thread-self/net", "dev")) {
			if !strings.HasSuffix(line[0], ":") {
				continue // a heading
			}
			have["ip -s link: RX errors"] += number(line[3], 10)
			have["ip -s link: RX dropped"] += number(line[4], 10)
			have["ip -s link: TX errors"] += number(line[11], 10)
			have["ip -s link: TX dropped"] += number(line[12], 10)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return have
}
