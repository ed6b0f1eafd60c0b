// SPDX-License-Identifier: Apache-2.0

package kernelreason

import (
	"errors"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

const vmlinux = "/sys/kernel/btf/vmlinux"

func kernelSpec(tb testing.TB) *btf.Spec {
	tb.Helper()
	s, err := btf.LoadSpec(vmlinux)
	if err != nil {
		tb.Fatalf("load this kernel's BTF: %v", err)
	}
	return s
}

// TestKernel compares with the running kernel's enum, read plainly.
func TestKernel(t *testing.T) {
	s := kernelSpec(t)
	n, err := FromBTF(s)
	if err != nil {
		t.Fatal(err)
	}
	var enum *btf.Enum
	if err := s.TypeByName("skb_drop_reason", &enum); errors.Is(err, btf.ErrNotFound) {
		enum = new(btf.Enum) // before 5.17
	} else if err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, v := range enum.Values {
		name, ok := strings.CutPrefix(v.Name, "SKB_DROP_REASON_")
		if !ok || name == "MAX" || name == "SUBSYS_MASK" {
			continue
		}
		want++
		if got := n.Name(uint32(v.Value)); got != name {
			t.Errorf("Name(%d) = %q, want %q", v.Value, got, name)
		}
	}
	core := 0
	for _, r := range n.All() {
		if r.Code>>16 == 0 {
			core++
		}
	}
	if core != want {
		t.Errorf("%d core reasons, want %d", core, want)
	}
	t.Logf("%d reasons, %d of them core", len(n.All()), core)
}

// TestKernelCatalogued fails on a kernel newer than the catalogue: add what it
// names.
func TestKernelCatalogued(t *testing.T) {
	n, err := FromBTF(kernelSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range n.All() {
		info := dropreason.Lookup(r.Name)
		if info.Name != r.Name || info.Layer == "" || info.Class == "" || info.Meaning == "" {
			t.Errorf("reason %d, %s: not catalogued: %+v", r.Code, r.Name, info)
		}
	}
}

func BenchmarkFromBTF(b *testing.B) {
	s := kernelSpec(b)
	for b.Loop() {
		// A copy, since a spec caches the types it has decoded.
		if _, err := FromBTF(s.Copy()); err != nil {
			b.Fatal(err)
		}
	}
}
