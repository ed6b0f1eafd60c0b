// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
)

// bytesOf returns the memory of a record.
func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

func TestStallDecode(t *testing.T) {
	window := bpf.StallWindow{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_WINDOW), Cpu: 3}, Edges: 2}
	sample := bpf.StallCpuSample{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_SAMPLE)}, StackLen: 8, UserLen: -14}
	packet := bpf.StallLatePacket{Head: bpf.StallHeader{Type: uint32(bpf.StallRecordTypeSTALL_PACKET)}, PacketLen: 20}
	var r StallRecord
	if err := r.Decode(bytesOf(&window)); err != nil || r.Window != window {
		t.Errorf("window: %v", err)
	}
	if err := r.Decode(append(bytesOf(&sample), 0, 0, 0, 0)); err != nil || r.Sample != sample {
		t.Errorf("sample, rounded up: %v", err)
	}
	if err := r.Decode(bytesOf(&packet)); err != nil || r.Packet != packet {
		t.Errorf("packet: %v", err)
	}
}

func TestStallDecodeFails(t *testing.T) {
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
		var r StallRecord
		if err := r.Decode(raw); err == nil || !strings.Contains(err.Error(), want) {
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
		if got := PathOf(chars); got != want {
			t.Errorf("%q: got %s, want %s", names, got, want)
		}
	}
}

func FuzzStallDecode(f *testing.F) {
	for kind := range 6 {
		f.Add(append([]byte{byte(kind)}, make([]byte, 7500)...))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var r StallRecord
		if r.Decode(raw) != nil {
			return
		}
		if int(r.Window.Edges) > len(r.Window.Edge) || int(r.Sample.StackLen) > 8*len(r.Sample.Stack) || int(r.Packet.PacketLen) > len(r.Packet.Packet) {
			t.Error("lengths past the end")
		}
	})
}
