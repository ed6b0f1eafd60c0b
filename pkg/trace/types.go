// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"debug/elf"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// types are those of the running kernel.
type types struct {
	kernel *btf.Spec
	cache  *btf.Cache // of the kernel's own types, which tp_btf and fentry need
	read   bool       // kernel is read from a file
}

// noTypes returns types for a kernel that does not provide them.
func noTypes() *types { return &types{cache: btf.NewCache()} }

// readTypes reads the types that the kernel provides, or those in a file: raw BTF, or an ELF
// file with a .BTF section.
func readTypes(file string) (*types, error) {
	cache := btf.NewCache()
	if file != "" {
		if err := checkBuildID(file); err != nil {
			return nil, err
		}
		kernel, err := btf.LoadSpec(file)
		if err != nil {
			return nil, fmt.Errorf("read BTF of %s: %w", file, err)
		}
		return &types{kernel, cache, true}, nil
	}
	kernel, err := cache.Kernel()
	if err != nil {
		return nil, fmt.Errorf("read kernel BTF: %w: %w", ErrNoTypes, err)
	}
	return &types{kernel, cache, false}, nil
}

// checkBuildID returns an error if the build ID of an ELF file is not that of the running
// kernel. Raw BTF has no build ID.
func checkBuildID(file string) error {
	f, err := elf.Open(file)
	if err != nil {
		return nil // not ELF, or not readable, which btf.LoadSpec reports
	}
	defer f.Close()
	notes, err := os.ReadFile("/sys/kernel/notes")
	if err != nil {
		return nil // the kernel does not show its build ID
	}
	own := symbolize.BuildID(notes)
	for _, section := range f.Sections {
		if section.Type != elf.SHT_NOTE {
			continue
		}
		text, err := section.Data()
		if err != nil {
			return fmt.Errorf("read notes of %s: %w", file, err)
		}
		if id := symbolize.BuildID(text); id != "" && own != "" && id != own {
			return fmt.Errorf("%s belongs to another kernel (build ID %s, running %s)", file, id, own)
		}
	}
	return nil
}

// own reports whether the kernel provides the types itself, so that its helpers return typed
// pointers.
func (t *types) own() bool { return t.kernel != nil && !t.read }

// options returns the options for loading programs.
func (t *types) options() ebpf.CollectionOptions {
	options := ebpf.CollectionOptions{Cache: t.cache}
	if t.read {
		options.Programs.KernelTypes = t.kernel
	}
	return options
}

// reasons returns the names of drop reasons. A file has no reasons of modules. Without types,
// reasons reads those of the core from tracefs; if that fails, reasons have only numbers.
func (t *types) reasons() (*dropreason.Names, error) {
	if t.kernel == nil {
		if names, _, err := dropreason.ReadFormat(os.DirFS("/")); err == nil {
			return names, nil
		}
		return &dropreason.Names{}, nil
	}
	names, err := kernelreason.FromKernel(t.cache)
	if t.read {
		names, err = kernelreason.FromBTF(t.kernel)
	}
	if err != nil {
		return nil, fmt.Errorf("read drop reasons: %w", err)
	}
	return names, nil
}
