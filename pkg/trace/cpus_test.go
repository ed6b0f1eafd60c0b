// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"testing"
	"testing/fstest"

	"github.com/dropwatch/dropwatch/pkg/node"
)

// TestRoomForCPUs: there is room for the number of every CPU, also where numbers have gaps.
func TestRoomForCPUs(t *testing.T) {
	for text, want := range map[string]cpus{"0": {1, 1}, "0-7": {8, 8}, "0-3,8-11": {8, 12}, "0,200": {2, 201}} {
		root := node.Root{FS: fstest.MapFS{"sys/devices/system/cpu/possible": &fstest.MapFile{Data: []byte(text + "\n")}}}
		got, err := findCPUs(root)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
		config, err := Config{Stalls: &StallConfig{}}.complete(got.room)
		if err != nil {
			t.Fatal(err)
		}
		l := newLoader(noTypes(), got.room, func() symbols { return nameless{} })
		spec, err := l.prepare(config)
		if err != nil {
			t.Fatal(err)
		}
		stalls, err := l.prepareStalls(*config.Stalls)
		if err != nil {
			t.Fatal(err)
		}
		room := uint32(want.room)
		if n := spec.Maps["cells"].MaxEntries; n != room*uint32(config.CellsPerCPU) {
			t.Errorf("%s: room for %d cells, %d on each CPU", text, n, config.CellsPerCPU)
		}
		if n, m := spec.Maps["stats"].MaxEntries, stalls.Maps["cpus"].MaxEntries; n != room || m != room {
			t.Errorf("%s: room for %d and %d CPUs, want %d", text, n, m, room)
		}
	}
	if _, err := findCPUs(node.Root{FS: fstest.MapFS{}}); err == nil {
		t.Error("no error without the file")
	}
}
