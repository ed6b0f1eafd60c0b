// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// futureKernel has two reasons, one of them newer than the catalogue.
func futureKernel(t *testing.T) *dropreason.Names {
	t.Helper()
	builder, err := btf.NewBuilder([]btf.Type{&btf.Enum{Name: "skb_drop_reason", Size: 4, Values: []btf.EnumValue{
		{Name: "SKB_NOT_DROPPED_YET", Value: 0},
		{Name: "SKB_DROP_REASON_CPU_BACKLOG", Value: 71},
		{Name: "SKB_DROP_REASON_COSMIC_RAY", Value: 200},
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, err := builder.Spec()
	if err != nil {
		t.Fatal(err)
	}
	names, err := kernelreason.FromBTF(spec)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// files has one setting of every kind: a plain one, and one by interface.
func files() node.Root {
	fs := fstest.MapFS{"proc/sys/net/core/netdev_max_backlog": {Data: []byte("1000\n")}}
	for _, name := range strings.Fields("all default eth0.7 lo veth1 veth2 veth3 veth4 veth5 veth6") {
		fs["proc/sys/net/ipv4/conf/"+name+"/rp_filter"] = &fstest.MapFile{Data: []byte("0\n")}
	}
	fs["proc/sys/net/ipv4/conf/eth0.7/rp_filter"] = &fstest.MapFile{Data: []byte("2\n")}
	return node.Root{FS: fs}
}

func named(t *testing.T, r *Reasons, names ...string) *Reasons {
	t.Helper()
	some := &Reasons{Kernel: r.Kernel}
	for _, name := range names {
		reason, ok := r.Find(name)
		if !ok {
			t.Fatalf("no reason %s", name)
		}
		some.List = append(some.List, reason)
	}
	some.ReadSettings(files())
	return some
}

func TestReasonsText(t *testing.T) {
	all := NewReasons("9.1", futureKernel(t))
	some := all.Keep(func(r Reason) bool {
		return r.Layer == dropreason.LayerDevice || r.Layer == dropreason.LayerUnknown
	})
	for name, test := range map[string]struct {
		width int
		color bool
	}{"reasons.txt": {120, false}, "reasons-narrow.txt": {70, false}, "reasons-color.txt": {120, true}} {
		var b bytes.Buffer
		if err := WriteReasonsText(&b, some, test.width, test.color); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
	}
}

func TestReasonText(t *testing.T) {
	known := NewReasons("9.1", futureKernel(t))
	var b bytes.Buffer
	some := named(t, known, "CPU_BACKLOG", "IP_RPFILTER", "TCP_OLD_DATA", "COSMIC_RAY")
	if err := WriteReasonText(&b, some, 100, false); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	if err := WriteReasonText(&b, named(t, NewReasons("", nil), "NO_SOCKET"), 100, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "reason.txt", b.Bytes())
}

func TestReasonsJSON(t *testing.T) {
	var b bytes.Buffer
	some := named(t, NewReasons("9.1", futureKernel(t)), "CPU_BACKLOG", "IP_RPFILTER", "TCP_OLD_DATA", "NO_TX_TARGET", "COSMIC_RAY")
	if err := WriteReasonsJSON(&b, some); err != nil {
		t.Fatal(err)
	}
	golden(t, "reasons.json", b.Bytes())
	b.Reset()
	if err := WriteReasonsJSON(&b, &Reasons{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\n  \"kernel\": null,\n  \"reasons\": []\n}\n", b.String()); diff != "" {
		t.Errorf("none (-want +got):\n%s", diff)
	}
}

// TestReasonsFit has the whole catalogue fit into lines of 80 and of 120 columns.
func TestReasonsFit(t *testing.T) {
	all := NewReasons("9.1", futureKernel(t))
	for _, width := range []int{80, 120} {
		var b bytes.Buffer
		if err := WriteReasonsText(&b, all, width, false); err != nil {
			t.Fatal(err)
		}
		if err := WriteReasonText(&b, all, width, false); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns, want %d: %s", n, width, line)
			}
		}
	}
}

func TestUnknownKernel(t *testing.T) {
	r := NewReasons("6.1", nil)
	if r.Kernel != "" || len(r.List) != len(dropreason.All()) || r.here() != 0 {
		t.Errorf("kernel %q, %d reasons, %d here", r.Kernel, len(r.List), r.here())
	}
}
