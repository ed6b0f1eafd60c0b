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
	cache  *btf.Cache // of the kernel's own, which tp_btf and fentry attach by
	read   bool       // from a file, in place of the kernel's own
}

// noTypes stands in for those of a kernel that tells none.
func noTypes() *types { return &types{cache: btf.NewCache()} }

// readTypes reads the types that the kernel tells, or those in a file: raw BTF, or an
// ELF file with a .BTF section.
func readTypes(file string) (*types, error) {
	cache := btf.NewCache()
	if file != "" {
		if err := ofThisKernel(file); err != nil {
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

// ofThisKernel returns an error for an ELF file of another kernel, by its build ID. Raw BTF
// has none.
func ofThisKernel(file string) error {
	f, err := elf.Open(file)
	if err != nil {
		return nil // not ELF, or not to be read, which is said by who reads it
	}
	defer f.Close()
	notes, err := os.ReadFile("/sys/kernel/notes")
	if err != nil {
		return nil // CONFIG_SYSFS without notes: nothing to compare with
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
			return fmt.Errorf("%s is of another kernel: build ID %s, and that of this one is %s", file, id, own)
		}
	}
	return nil
}

// own reports whether they are what the kernel tells itself, so that its helpers return
// pointers that have a type.
func (t *types) own() bool { return t.kernel != nil && !t.read }

// options are what programs are loaded with.
func (t *types) options() ebpf.CollectionOptions {
	options := ebpf.CollectionOptions{Cache: t.cache}
	if t.read {
		options.Programs.KernelTypes = t.kernel
	}
	return options
}

// reasons names the reasons of drops. Of a file modules' reasons are not known. Without
// types tracefs tells those of the core; they stay numbers where it does not.
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
