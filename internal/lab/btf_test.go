// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"fmt"
	"os"
	"reflect"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// haveReasons says whether skb:kfree_skb has a reason. Needs kernel 5.17+.
func haveReasons() error {
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		return fmt.Errorf("load kernel BTF: %w", lacking(err, btf.ErrNotFound, os.ErrNotExist, ebpf.ErrNotSupported))
	}
	var enum *btf.Enum
	if err := spec.TypeByName("skb_drop_reason", &enum); err != nil {
		return lacking(err, btf.ErrNotFound)
	}
	return nil
}

// rxSocket says whether the tracepoint names the receiving socket. Needs kernel 6.11+.
func rxSocket(t *testing.T) bool {
	t.Helper()
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var f *btf.Typedef
	if err := spec.TypeByName("btf_trace_kfree_skb", &f); err != nil {
		t.Fatal(err)
	}
	proto := f.Type.(*btf.Pointer).Target.(*btf.FuncProto)
	return len(proto.Params) > 4 // the first is the tracepoint's own
}

// offsetOf returns where a member lies in a kernel struct, also in anonymous ones.
func offsetOf(t *testing.T, name, member string) int32 {
	t.Helper()
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var s *btf.Struct
	if err := spec.TypeByName(name, &s); err != nil {
		t.Fatal(err)
	}
	offset, ok := find(s.Members, member)
	if !ok {
		t.Fatalf("struct %s has no %s", name, member)
	}
	return offset
}

func find(members []btf.Member, name string) (int32, bool) {
	for _, m := range members {
		if m.Name == name {
			return int32(m.Offset.Bytes()), true
		}
		var inner []btf.Member
		switch c := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = c.Members
		case *btf.Union:
			inner = c.Members
		}
		if m.Name == "" || m.Name == "__sk_common" {
			if offset, ok := find(inner, name); ok {
				return int32(m.Offset.Bytes()) + offset, true
			}
		}
	}
	return 0, false
}

// recordOffset returns where a field of death lies in the record.
func recordOffset(t *testing.T, field string) int16 {
	t.Helper()
	offset, v := 0, reflect.ValueOf(death{})
	for i := range v.NumField() {
		if v.Type().Field(i).Name == field {
			return int16(offset)
		}
		offset += binary.Size(v.Field(i).Interface())
	}
	t.Fatalf("death has no %s", field)
	return 0
}
