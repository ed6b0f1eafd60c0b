// SPDX-License-Identifier: Apache-2.0

package kernelreason

import (
	"bytes"
	"math"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// core is part of Debian 6.12's enum, openvswitch of its module's.
var (
	core = &btf.Enum{Name: "skb_drop_reason", Size: 4, Values: []btf.EnumValue{
		{Name: "SKB_NOT_DROPPED_YET", Value: 0},
		{Name: "SKB_CONSUMED", Value: 1},
		{Name: "SKB_DROP_REASON_NOT_SPECIFIED", Value: 2},
		{Name: "SKB_DROP_REASON_NETFILTER_DROP", Value: 0xb},
		{Name: "SKB_DROP_REASON_MAX", Value: 0xc},
	}}
	openvswitch = &btf.Enum{Name: "ovs_drop_reason", Size: 4, Values: []btf.EnumValue{
		{Name: "__OVS_DROP_REASON", Value: 0x30000},
		{Name: "OVS_DROP_LAST_ACTION", Value: 0x30001},
	}}
)

func builder(tb testing.TB, types ...btf.Type) *btf.Builder {
	tb.Helper()
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func spec(tb testing.TB, types ...btf.Type) *btf.Spec {
	tb.Helper()
	s, err := builder(tb, types...).Spec()
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestFromBTF(t *testing.T) {
	want := []dropreason.Reason{{Code: 2, Name: "NOT_SPECIFIED"}, {Code: 0xb, Name: "NETFILTER_DROP"}}
	withModule := append(want[:2:2], dropreason.Reason{Code: 0x30001, Name: "OVS_DROP_LAST_ACTION"})
	for name, test := range map[string]struct {
		kernel  *btf.Spec
		modules []*btf.Spec
		want    []dropreason.Reason
	}{
		"core":                  {spec(t, core), nil, want},
		"with a module":         {spec(t, core), []*btf.Spec{spec(t, openvswitch)}, withModule},
		"built in":              {spec(t, core, openvswitch), []*btf.Spec{nil}, withModule},
		"none":                  {nil, []*btf.Spec{nil}, nil},
		"a struct of that name": {spec(t, &btf.Struct{Name: "ovs_drop_reason", Size: 4}), nil, nil},
	} {
		n, err := FromBTF(test.kernel, test.modules...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, n.All()); diff != "" {
			t.Errorf("%s: reasons (-want +got):\n%s", name, diff)
		}
	}
}

// FuzzFromBTF takes any bytes for the types of a kernel.
func FuzzFromBTF(f *testing.F) {
	for _, types := range [][]btf.Type{{core}, {core, openvswitch}, {&btf.Struct{Name: "skb_drop_reason", Size: 4}}} {
		raw, err := builder(f, types...).Marshal(nil, nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
		if err != nil {
			return
		}
		names, err := FromBTF(spec)
		if err != nil {
			if names != nil {
				t.Error("an error and names")
			}
			return
		}
		for _, r := range names.All() {
			if names.Name(r.Code) != r.Name {
				t.Errorf("%+v is called %q", r, names.Name(r.Code))
			}
		}
		names.Name(math.MaxUint32)
	})
}
