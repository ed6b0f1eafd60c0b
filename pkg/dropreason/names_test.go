// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// values are the enumerators of an enum, written as in bpftool's output.
type values []Enumerator

// fromEnums reads the reasons of a kernel and its modules.
func fromEnums(t *testing.T, kernel ...map[string]values) *Names {
	t.Helper()
	n, err := FromEnums(func(name string) (all []Enumerator, _ error) {
		for _, enums := range kernel {
			all = append(all, enums[name]...)
		}
		return all, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The values are those of Debian's kernels.
var (
	core61 = values{
		{Name: "SKB_NOT_DROPPED_YET", Value: 0},
		{Name: "SKB_DROP_REASON_NOT_SPECIFIED", Value: 1},
		{Name: "SKB_DROP_REASON_NETFILTER_DROP", Value: 7},
		{Name: "SKB_DROP_REASON_MAX", Value: 8},
	}
	core612 = values{
		{Name: "SKB_NOT_DROPPED_YET", Value: 0},
		{Name: "SKB_CONSUMED", Value: 1},
		{Name: "SKB_DROP_REASON_NOT_SPECIFIED", Value: 2},
		{Name: "SKB_DROP_REASON_NETFILTER_DROP", Value: 0xb},
		{Name: "SKB_DROP_REASON_MAX", Value: 0xc},
		{Name: "SKB_DROP_REASON_SUBSYS_MASK", Value: 0xffff0000},
	}
	subsystems612 = values{
		{Name: "SKB_DROP_REASON_SUBSYS_CORE", Value: 0},
		{Name: "SKB_DROP_REASON_SUBSYS_MAC80211_UNUSABLE", Value: 1},
		{Name: "SKB_DROP_REASON_SUBSYS_MAC80211_MONITOR", Value: 2},
		{Name: "SKB_DROP_REASON_SUBSYS_OPENVSWITCH", Value: 3},
		{Name: "SKB_DROP_REASON_SUBSYS_NUM", Value: 4},
	}
	subsystems72 = values{
		{Name: "SKB_DROP_REASON_SUBSYS_CORE", Value: 0},
		{Name: "SKB_DROP_REASON_SUBSYS_MAC80211_UNUSABLE", Value: 1},
		{Name: "SKB_DROP_REASON_SUBSYS_OPENVSWITCH", Value: 2},
		{Name: "SKB_DROP_REASON_SUBSYS_QDISC", Value: 3},
		{Name: "SKB_DROP_REASON_SUBSYS_NUM", Value: 4},
	}
	qdisc72 = values{
		{Name: "QDISC_DROP_UNSPEC", Value: 0},
		{Name: "__QDISC_DROP_REASON", Value: 0x30000},
		{Name: "QDISC_DROP_GENERIC", Value: 0x30001},
		{Name: "QDISC_DROP_OVERLIMIT", Value: 0x30002},
		{Name: "QDISC_DROP_MAX", Value: 0x30003},
	}
	mac80211612 = values{
		{Name: "RX_CONTINUE", Value: 1},
		{Name: "RX_QUEUED", Value: 0},
		{Name: "RX_DROP_MONITOR", Value: 0x20000},
		{Name: "RX_DROP_M_BAD_BCN_KEYIDX", Value: 0x20002},
		{Name: "RX_DROP_U_MIC_FAIL", Value: 0x10001},
	}
	mac80211Twin612 = values{
		{Name: "___RX_CONTINUE", Value: 1},
		{Name: "___RX_DROP_U_MIC_FAIL", Value: 0x10001},
	}
	ovs612 = values{
		{Name: "__OVS_DROP_REASON", Value: 0x30000},
		{Name: "OVS_DROP_LAST_ACTION", Value: 0x30001},
		{Name: "OVS_DROP_MAX", Value: 0x30002},
	}
)

func TestFromEnums(t *testing.T) {
	tests := []struct {
		name    string
		vmlinux map[string]values
		modules []map[string]values
		want    []Reason
		names   map[uint32]string
	}{{
		name:    "5.10 has no reasons",
		vmlinux: map[string]values{"nl80211_commands": {{Name: "NL80211_CMD_UNSPEC", Value: 0}}},
		names:   map[uint32]string{0: "0", 2: "2", 0x20003: "2/3"},
	}, {
		name:    "6.1 has no subsystems",
		vmlinux: map[string]values{"skb_drop_reason": core61},
		want:    []Reason{{1, "NOT_SPECIFIED"}, {7, "NETFILTER_DROP"}},
		names:   map[uint32]string{0: "0", 1: "NOT_SPECIFIED", 7: "NETFILTER_DROP", 8: "8", 1234: "1234"},
	}, {
		name:    "6.12 with modules",
		vmlinux: map[string]values{"skb_drop_reason": core612, "skb_drop_reason_subsys": subsystems612},
		modules: []map[string]values{
			{"___mac80211_drop_reason": mac80211Twin612, "mac80211_drop_reason": mac80211612},
			{"ovs_drop_reason": ovs612},
		},
		want: []Reason{
			{2, "NOT_SPECIFIED"}, {0xb, "NETFILTER_DROP"},
			{0x10001, "RX_DROP_U_MIC_FAIL"},
			{0x20000, "RX_DROP_MONITOR"}, {0x20002, "RX_DROP_M_BAD_BCN_KEYIDX"},
			{0x30001, "OVS_DROP_LAST_ACTION"},
		},
		names: map[uint32]string{
			0: "0", 1: "1", 0xb: "NETFILTER_DROP", 0xc: "12",
			0x10001: "RX_DROP_U_MIC_FAIL", 0x10000: "mac80211_unusable/0",
			0x30001: "OVS_DROP_LAST_ACTION", 0x30002: "openvswitch/2",
		},
	}, {
		name: "7.2 without modules",
		vmlinux: map[string]values{
			"skb_drop_reason": core612, "skb_drop_reason_subsys": subsystems72, "qdisc_drop_reason": qdisc72,
		},
		want: []Reason{
			{2, "NOT_SPECIFIED"}, {0xb, "NETFILTER_DROP"},
			{0x30001, "QDISC_DROP_GENERIC"}, {0x30002, "QDISC_DROP_OVERLIMIT"},
		},
		names: map[uint32]string{
			0x30000: "qdisc/0", 0x30001: "QDISC_DROP_GENERIC", 0x30003: "qdisc/3",
			0x20003: "openvswitch/3", 0x50003: "5/3", 0xffff0000: "65535/0",
		},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := fromEnums(t, append(tt.modules, tt.vmlinux)...)
			if diff := cmp.Diff(tt.want, n.All()); diff != "" {
				t.Errorf("reasons (-want +got):\n%s", diff)
			}
			for code, want := range tt.names {
				if got := n.Name(code); got != want {
					t.Errorf("Name(%#x) = %q, want %q", code, got, want)
				}
			}
		})
	}
}

func TestFromEnumsFails(t *testing.T) {
	broken := errors.New("broken")
	for _, enum := range []string{"skb_drop_reason", "ovs_drop_reason", "skb_drop_reason_subsys"} {
		n, err := FromEnums(func(name string) ([]Enumerator, error) {
			if name == enum {
				return nil, broken
			}
			return nil, nil
		})
		if !errors.Is(err, broken) || n != nil {
			t.Errorf("%s: %v, error %v", enum, n, err)
		}
	}
	if got := new(Names).Name(0x20003); got != "2/3" {
		t.Errorf("zero Names: Name(0x20003) = %q", got)
	}
}

func TestAllIsACopy(t *testing.T) {
	n := fromEnums(t, map[string]values{"skb_drop_reason": core61})
	n.All()[0].Name = "changed"
	if got := n.Name(1); got != "NOT_SPECIFIED" {
		t.Errorf("Name(1) = %q after All's result was changed", got)
	}
}
