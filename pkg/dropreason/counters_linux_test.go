// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mayLack are the counters and sysctls that a kernel may rightly lack, and why.
var mayLack = map[string]string{
	"TcpExtTCPAORequired":    "in 6.12, not in 6.1",
	"TcpExtTCPAOBad":         "in 6.12, not in 6.1",
	"TcpExtTCPAOKeyNotFound": "in 6.12, not in 6.1",
	"TcpExtPAWSOldAck":       "in 6.18, not in 6.12",
	"TcpExtPAWSTimewait":     "in 6.18, not in 6.12",
	"TcpExtTSEcrRejected":    "in 6.18, not in 6.12",
	"TcpExtBeyondWindow":     "in 6.18, not in 6.12",

	"/proc/net/xfrm_stat: XfrmInPolBlock":      "needs CONFIG_XFRM_STATISTICS",
	"/proc/net/xfrm_stat: XfrmInTmplMismatch":  "needs CONFIG_XFRM_STATISTICS",
	"/proc/net/xfrm_stat: XfrmInNoPols":        "needs CONFIG_XFRM_STATISTICS",
	"/proc/net/xfrm_stat: XfrmInStateMismatch": "needs CONFIG_XFRM_STATISTICS",
	"/proc/net/xfrm_stat: XfrmOutPolBlock":     "needs CONFIG_XFRM_STATISTICS",

	"net.core.flow_limit_cpu_bitmap":               "needs CONFIG_NET_FLOW_LIMIT",
	"net.core.flow_limit_table_len":                "needs CONFIG_NET_FLOW_LIMIT",
	"net.core.qdisc_max_burst":                     "in 7.2, not in 6.18",
	"net.netfilter.nf_conntrack_max":               "needs module nf_conntrack",
	"net.netfilter.nf_conntrack_frag6_timeout":     "needs module nf_defrag_ipv6",
	"net.netfilter.nf_conntrack_frag6_high_thresh": "needs module nf_defrag_ipv6",
}

// TestKernelCounters looks for every counter in this kernel's /proc/net. What
// only a command shows is left to the forms.
func TestKernelCounters(t *testing.T) {
	have := procCounters(t, "/proc/net")
	if _, ok := have["TcpExtNoSuchCounter"]; ok || len(have) < 200 {
		t.Fatalf("%d counters in /proc/net, a made-up one among them: %t", len(have), ok)
	}
	for _, c := range all(func(i Info) []string { return i.Counters }) {
		name, _, _ := strings.Cut(c, " (")
		if !nstatForm.MatchString(c) && !strings.HasPrefix(c, "/proc/") {
			continue
		}
		if _, ok := have[name]; !ok && mayLack[c] == "" {
			t.Errorf("this kernel does not count %q", c)
		}
	}
}

func TestKernelSysctls(t *testing.T) {
	if hasSysctl(t, "net.ipv4.conf.*.no_such_sysctl") || hasSysctl(t, "net.core.no_such_sysctl") {
		t.Fatal("this kernel has a made-up sysctl")
	}
	for _, s := range all(func(i Info) []string { return i.Sysctls }) {
		if !hasSysctl(t, s) && mayLack[s] == "" {
			t.Errorf("this kernel has no sysctl %s", s)
		}
	}
}

// TestMayLack keeps what is excused to what is in the catalogue.
func TestMayLack(t *testing.T) {
	listed := all(func(i Info) []string { return slices.Concat(i.Counters, i.Sysctls) })
	for name := range mayLack {
		if !slices.Contains(listed, name) {
			t.Errorf("%s: excused, but no reason has it", name)
		}
	}
}

// all returns what the reasons have of something, each once.
func all(of func(Info) []string) []string {
	once := make(map[string]bool)
	for _, info := range slices.Concat(tables()...) {
		for _, s := range of(info) {
			once[s] = true
		}
	}
	return slices.Sorted(maps.Keys(once))
}

// hasSysctl says whether an entry below /proc/sys has that name, with any
// interface, all or default in place of an asterisk.
func hasSysctl(t *testing.T, name string) bool {
	t.Helper()
	found, err := filepath.Glob("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found) > 0
}

// procCounters reads the counters below a /proc/net, named as in Info but
// without notes.
func procCounters(t *testing.T, dir string) map[string]uint64 {
	t.Helper()
	have := make(map[string]uint64)
	for _, file := range []string{"netstat", "snmp"} {
		lines := procLines(t, filepath.Join(dir, file))
		for i := 0; i+1 < len(lines); i += 2 {
			prefix := strings.TrimSuffix(lines[i][0], ":")
			for j, field := range lines[i][1:] {
				have[prefix+field] = number(lines[i+1][j+1], 10)
			}
		}
	}
	for file, prefix := range map[string]string{"snmp6": "", "xfrm_stat": "/proc/net/xfrm_stat: "} {
		for _, line := range procLines(t, filepath.Join(dir, file)) {
			have[prefix+line[0]] = number(line[1], 10)
		}
	}
	// Not of one namespace: a line a CPU.
	for _, file := range []string{"arp_cache", "ndisc_cache", "rt_cache"} {
		lines := procLines(t, filepath.Join("/proc/net/stat", file))
		for i := 1; i < len(lines); i++ {
			for j, field := range lines[0] {
				have["/proc/net/stat/"+file+": "+field] += number(lines[i][j], 16)
			}
		}
	}
	for _, line := range procLines(t, "/proc/net/softnet_stat") {
		have["/proc/net/softnet_stat: dropped"] += number(line[1], 16)
		have["/proc/net/softnet_stat: flow_limit_count"] += number(line[10], 16)
	}
	return have
}

// procLines returns the words of each line of a file; none if there is no such file.
func procLines(t *testing.T, path string) (lines [][]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); len(words) > 0 {
			lines = append(lines, words)
		}
	}
	return lines
}

// number parses a counter; the few that are negative (TcpMaxConn) count as 0.
func number(s string, base int) uint64 {
	n, _ := strconv.ParseUint(s, base, 64)
	return n
}
