// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"

	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// maxPrograms is the largest number of BPF programs to list; a node has hundreds.
const maxPrograms = 10_000

// readPrograms updates the addresses of BPF programs in the symbols.
func readPrograms(names symbols) {
	if kernel, ok := names.(*symbolize.Kernel); ok {
		kernel.ReadPrograms()
	}
}

// listPrograms returns the address ranges of the functions of all BPF programs. It needs
// CAP_SYS_ADMIN (bpf_prog_get_fd_by_id, kernel/bpf/syscall.c).
func listPrograms() ([]symbolize.Range, error) {
	var all []symbolize.Range
	var id ebpf.ProgramID
	for range maxPrograms {
		next, err := ebpf.ProgramGetNextID(id)
		if errors.Is(err, os.ErrNotExist) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list programs: %w", err)
		}
		id = next
		functions, err := programFunctions(id)
		if errors.Is(err, os.ErrNotExist) {
			continue // it was freed
		}
		if err != nil {
			return nil, fmt.Errorf("program %d: %w", id, err)
		}
		all = append(all, functions...)
	}
	return all, nil
}

// programFunctions returns the address ranges of a program and its subprograms; none if the
// program is interpreted.
func programFunctions(id ebpf.ProgramID) ([]symbolize.Range, error) {
	program, err := ebpf.NewProgramFromID(id)
	if err != nil {
		return nil, err
	}
	defer program.Close()
	info, err := program.Info()
	if err != nil {
		return nil, err
	}
	starts, _ := info.JitedKsymAddrs()
	lengths, _ := info.JitedFuncLens()
	var functions []symbolize.Range
	for i := range min(len(starts), len(lengths)) {
		if start := uint64(starts[i]); start != 0 {
			functions = append(functions, symbolize.Range{Start: start, End: start + uint64(lengths[i])})
		}
	}
	return functions, nil
}
