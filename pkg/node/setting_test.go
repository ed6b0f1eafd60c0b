// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	root := Root{fstest.MapFS{
		"proc/sys/net/ipv4/tcp_rmem":                 file("4096\t131072\t6291456\n"),
		"proc/sys/net/ipv4/conf/all/rp_filter":       file("0\n"),
		"proc/sys/net/ipv4/conf/eth0.7/rp_filter":    file("2\n"),
		"proc/sys/net/ipv4/conf/\x1b[31m/rp_filter":  file("1\n"),
		"proc/sys/net/ipv4/conf/eth0.7/log_martians": file("1\n"),
	}}
	for pattern, want := range map[string][]Setting{
		"net.ipv4.tcp_rmem": {{Name: "net.ipv4.tcp_rmem", Value: "4096 131072 6291456"}},
		"net.ipv4.conf.*.rp_filter": {
			{`net.ipv4.conf.\x1b[31m.rp_filter`, `\x1b[31m`, "1"},
			{"net.ipv4.conf.all.rp_filter", "all", "0"},
			{"net.ipv4.conf.eth0/7.rp_filter", "eth0.7", "2"},
		},
		"net.ipv4.no_such_setting": nil,
		"net.ipv4.conf.*.absent":   nil,
		"net.ipv4.conf":            nil,
	} {
		if diff := cmp.Diff(want, root.Settings(pattern)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pattern, diff)
		}
	}
}
