// SPDX-License-Identifier: Apache-2.0

package event

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/bpf"
)

// TestWireLayout compares the generated structs with the types that the compiler
// recorded in the object: every member at the same offset.
func TestWireLayout(t *testing.T) {
	spec, err := bpf.LoadDrop()
	if err != nil {
		t.Fatal(err)
	}
	for name, generated := range map[string]any{
		"cell_key": bpf.DropCellKey{}, "cell": bpf.DropCell{},
		"cpu_stats": bpf.DropCpuStats{}, "record": bpf.DropRecord{},
	} {
		t.Run(name, func(t *testing.T) {
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
					t.Errorf("%s: offset %d in C, %d in Go (found: %t)", m.Name, m.Offset.Bytes(), offset, ok)
				}
			}
			if len(c.Members) != g.NumField()-1 { // the first is structs.HostLayout
				t.Errorf("%d members in C, %d in Go", len(c.Members), g.NumField()-1)
			}
		})
	}
	var cell *btf.Struct
	if err := spec.Types.TypeByName("cell", &cell); err != nil || cell.Size != 64 {
		t.Errorf("a cell takes %d bytes, want one cache line; %v", cell.Size, err)
	}
}
