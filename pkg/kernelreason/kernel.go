// SPDX-License-Identifier: Apache-2.0

// Package kernelreason reads the names and numbers of drop reasons from a kernel's BTF.
// What the names mean is in package dropreason, which needs no kernel.
package kernelreason

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// FromKernel reads the drop reasons of the running kernel and its loaded modules. It
// needs no privilege. The error is ebpf.ErrNotSupported where there is no Linux, or
// a kernel without BTF.
func FromKernel(types *btf.Cache) (*dropreason.Names, error) {
	kernel, err := types.Kernel()
	if err != nil {
		return nil, fmt.Errorf("read kernel BTF: %w", err)
	}
	return FromBTF(kernel, subsystemTypes(types)...)
}

// subsystemTypes returns the BTF of loaded modules that have drop reasons.
func subsystemTypes(types *btf.Cache) []*btf.Spec {
	loaded, err := types.Modules()
	if err != nil {
		return nil // a kernel without split BTF; its reasons are shown by number
	}
	var specs []*btf.Spec
	for _, module := range []string{"mac80211", "openvswitch"} {
		if !slices.Contains(loaded, module) {
			continue
		}
		if spec, err := types.Module(module); err == nil {
			specs = append(specs, spec)
		}
	}
	return specs
}

// FromBTF reads the drop reasons of a kernel: the core's from spec, the subsystems' from
// spec or, where they are modular, from the modules' split BTF. A kernel that has no
// reasons (before 5.17) yields empty Names. A nil spec counts as one without reasons. The
// error says that the BTF is damaged.
func FromBTF(spec *btf.Spec, modules ...*btf.Spec) (*dropreason.Names, error) {
	specs := slices.Concat([]*btf.Spec{spec}, modules)
	return dropreason.FromEnums(func(name string) (values []dropreason.Enumerator, err error) {
		for _, s := range specs {
			if values, err = appendEnum(values, s, name); err != nil {
				return nil, err
			}
		}
		return values, nil
	})
}

// appendEnum appends the values of every enum of that name. It looks the name up in the
// spec's index.
func appendEnum(values []dropreason.Enumerator, spec *btf.Spec, name string) ([]dropreason.Enumerator, error) {
	if spec == nil {
		return values, nil
	}
	types, err := spec.AnyTypesByName(name)
	if errors.Is(err, btf.ErrNotFound) {
		return values, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find enum %s: %w", name, err)
	}
	for _, typ := range types {
		enum, ok := typ.(*btf.Enum)
		if !ok || enum.Name != name {
			continue
		}
		for _, v := range enum.Values {
			values = append(values, dropreason.Enumerator{Name: v.Name, Value: v.Value})
		}
	}
	return values, nil
}
