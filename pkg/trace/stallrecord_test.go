// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// bytesOf returns the memory of a record.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

func TestStallRecord(t *testing.T) {
	window := bpf.StallWindow{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_WINDOW), Cpu: 3}, Edges: 2}
	sample := bpf.StallCpuSample{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_SAMPLE)}, StackLen: 8, UserLen: -14}
	packet := bpf.StallLatePacket{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_PACKET)}, PacketLen: 20}
	var r stallRecord
	if err := r.decode(bytesOf(&window)); err != nil || r.Window != window {
		t.Errorf("window: %v", err)
	}
	if err := r.decode(append(bytesOf(&sample), 0, 0, 0, 0)); err != nil || r.Sample != sample {
		t.Errorf("sample, rounded up: %v", err)
	}
	if err := r.decode(bytesOf(&packet)); err != nil || r.Packet != packet {
		t.Errorf("packet: %v", err)
	}
}

func TestStallRecordFails(t *testing.T) {
	window := bpf.StallWindow{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_WINDOW)}}
	sample := bpf.StallCpuSample{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_SAMPLE)}}
	packet := bpf.StallLatePacket{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_ECHO)}}
	manyEdges, deep, longPath, long := window, sample, sample, packet
	manyEdges.Edges, deep.StackLen, longPath.PathLen, long.PacketLen = 129, 1017, 513, 65
	for want, raw := range map[string][]byte{
		"shorter than its header": {1, 0, 0},
		"unknown type 9":          append([]byte{9}, make([]byte, 63)...),
		"instead of":              bytesOf(&window)[:100],
		"129 edges":               bytesOf(&manyEdges),
		"stacks of 1017":          bytesOf(&deep),
		"path of 513":             bytesOf(&longPath),
		"packet of 65 bytes":      bytesOf(&long),
	} {
		var r stallRecord
		if err := r.decode(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestPathOf(t *testing.T) {
	for names, want := range map[string]string{
		"memory.stat\x00pod1\x00cgroup\x00fs\x00sys\x00": "/sys/fs/cgroup/pod1/memory.stat",
		"a\x1bb\x00": `/a\x1bb`,
		"":           "/",
	} {
		chars := []int8{}
		for _, c := range []byte(names) {
			chars = append(chars, int8(c))
		}
		if got := pathOf(chars); got != want {
			t.Errorf("%q: got %s, want %s", names, got, want)
		}
	}
}

func FuzzStallRecord(f *testing.F) {
	head := func(kind bpf.StallRecordType) bpf.StallHeader { return bpf.StallHeader{Type: uint32(kind)} }
	f.Add(bytesOf(&bpf.StallWindow{Head: head(bpf.StallRecordTypeSTALL_WINDOW), Edges: 2}))
	f.Add(bytesOf(&bpf.StallCpuSample{Head: head(bpf.StallRecordTypeSTALL_SAMPLE), StackLen: 8, UserLen: -14, PathLen: 2}))
	f.Add(bytesOf(&bpf.StallLatePacket{Head: head(bpf.StallRecordTypeSTALL_PACKET), PacketLen: 20}))
	f.Add(bytesOf(&bpf.StallLatePacket{Head: head(bpf.StallRecordTypeSTALL_ECHO), PacketLen: 28}))
	f.Add([]byte{0, 1, 2})
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r stallRecord
		if r.decode(raw) != nil {
			return
		}
		s := &r.Sample
		if int(r.Window.Edges) > len(r.Window.Edge) || int(s.StackLen) > 8*len(s.Stack) || int(s.UserLen) > 8*len(s.User) ||
			int(s.PathLen) > len(s.Path) || int(r.Packet.PacketLen) > len(r.Packet.Packet) {
			t.Fatal("lengths past the end")
		}
		if path := pathOf(s.Path[:s.PathLen]); !strings.HasPrefix(path, "/") || path != event.Printable(path) {
			t.Errorf("path %q", path)
		}
	})
}
