// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// TestPrograms loads a program and looks up what is in it and past its end.
func TestPrograms(t *testing.T) {
	labtest.NeedRoot(t)
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "short", Type: ebpf.SocketFilter, License: "GPL",
		Instructions: asm.Instructions{asm.LoadImm(asm.R0, 1, asm.DWord), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	info, err := program.Info()
	if err != nil {
		t.Fatal(err)
	}
	starts, ok := info.JitedKsymAddrs()
	lengths, ok2 := info.JitedFuncLens()
	if !ok || !ok2 {
		t.Fatal("the kernel does not say where the program is")
	}
	all, err := listPrograms()
	if err != nil {
		t.Fatal(err)
	}
	want := symbolize.Range{Start: uint64(starts[0]), End: uint64(starts[0]) + uint64(lengths[0])}
	found := false
	for _, r := range all {
		found = found || r == want
	}
	if !found {
		t.Errorf("%x is not among %x", want, all)
	}
	kernel, err := symbolize.ReadKernel(os.DirFS("/"), listPrograms)
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := kernel.Lookup(want.Start + 1); !ok || !strings.HasPrefix(s.Name, "bpf_prog_") || !strings.HasSuffix(s.Name, "_short") {
		t.Errorf("in the program: %+v", s)
	}
	if s, _ := kernel.Lookup(want.End); s.Offset != uint64(lengths[0]) || !strings.HasSuffix(s.Name, "_short") {
		t.Errorf("the return address of its last instruction: %+v", s)
	}
	if s, _ := kernel.Lookup(want.End + 1); strings.HasSuffix(s.Name, "_short") {
		t.Errorf("past its end: %+v", s)
	}
	if s, ok := kernel.Lookup(kernel.Text().End + 1); ok {
		t.Errorf("past the kernel's text: %+v", s)
	}
}
