// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"fmt"
	"slices"

	"github.com/cilium/ebpf/btf"
)

// FromKernel reads the drop reasons of the running kernel and its loaded modules. It
// needs no privilege. The error is ebpf.ErrNotSupported where there is no Linux, or
// a kernel without BTF.
func FromKernel(types *btf.Cache) (*Names, error) {
	kernel, err := types.Kernel()
	if err != nil {
		return nil, fmt.Errorf("read kernel BTF: %w", err)
	}
	return FromBTF(kernel, subsystemTypes(types)...)
}

// subsystemTypes returns the BTF of loaded modules that bring drop reasons along.
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
