// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestWireLayout compares the generated structs with the types that the compiler
// recorded in the objects: every member at the same offset.
func TestWireLayout(t *testing.T) {
	spec := load(t, bpf.LoadDrop)
	checkLayout(t, spec, map[string]any{
		"cell_key": bpf.DropCellKey{}, "cell": bpf.DropCell{}, "schedule": bpf.DropSchedule{},
		"cpu_stats": bpf.DropCpuStats{}, "record": bpf.DropRecord{},
	})
	checkLayout(t, load(t, bpf.LoadStall), map[string]any{
		"task": bpf.StallTask{}, "interrupted": bpf.StallInterrupted{}, "header": bpf.StallHeader{},
		"edge": bpf.StallEdge{}, "window": bpf.StallWindow{}, "cpu_sample": bpf.StallCpuSample{},
		"late_packet": bpf.StallLatePacket{}, "cpu": bpf.StallCpu{},
	})
	var cell *btf.Struct
	if err := spec.Types.TypeByName("cell", &cell); err != nil || cell.Size != 64 {
		t.Errorf("a cell takes %d bytes, want one cache line; %v", cell.Size, err)
	}
}

// TestWireNames compares the enums that go into events as they are with the names that
// events have for their values.
func TestWireNames(t *testing.T) {
	spec := load(t, bpf.LoadStall)
	for enum, name := range map[string]func(uint64) string{
		"edge_kind": func(v uint64) string { return event.EdgeKind(v).String() },
		"waiter":    func(v uint64) string { return event.Waiter(v).String() },
	} {
		var c *btf.Enum
		if err := spec.Types.TypeByName(enum, &c); err != nil {
			t.Fatal(err)
		}
		for _, v := range append(c.Values, btf.EnumValue{Name: "X_" + strconv.Itoa(len(c.Values)), Value: uint64(len(c.Values))}) {
			if _, want, _ := strings.Cut(strings.ToLower(v.Name), "_"); name(v.Value) != want {
				t.Errorf("%s: %s is %q", enum, v.Name, name(v.Value))
			}
		}
	}
}

func load(t *testing.T, read func() (*ebpf.CollectionSpec, error)) *ebpf.CollectionSpec {
	t.Helper()
	spec, err := read()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func checkLayout(t *testing.T, spec *ebpf.CollectionSpec, structs map[string]any) {
	t.Helper()
	for name, generated := range structs {
		var c *btf.Struct
		if err := spec.Types.TypeByName(name, &c); err != nil {
			t.Fatal(err)
		}
		g := reflect.TypeOf(generated)
		fields := map[string]uintptr{}
		for i := range g.NumField() {
			fields[strings.ToLower(g.Field(i).Name)] = g.Field(i).Offset
		}
		for _, m := range c.Members {
			offset, ok := fields[strings.ReplaceAll(m.Name, "_", "")]
			if !ok || offset != uintptr(m.Offset.Bytes()) {
				t.Errorf("%s.%s: offset %d in C, %d in Go (found: %t)", name, m.Name, m.Offset.Bytes(), offset, ok)
			}
		}
		if last := g.Field(g.NumField() - 1).Type; last.Size() > 0 && g.Size() != uintptr(c.Size) { // of an empty array at the end Go has more
			t.Errorf("%s: %d bytes in C, %d in Go", name, c.Size, g.Size())
		}
		if len(c.Members) != g.NumField()-1 { // the first is structs.HostLayout
			t.Errorf("%s: %d members in C, %d in Go", name, len(c.Members), g.NumField()-1)
		}
	}
}
