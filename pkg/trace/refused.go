// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/rlimit"

	"github.com/dropwatch/dropwatch/pkg/privilege"
)

// explain adds to a missing permission why it is missing. memlock says that the limit on
// locked memory counts and could not be raised. Lockdown has the verifier reject what
// reads the kernel's memory (bpf_tracing_func_proto, kernel/trace/bpf_trace.c).
func explain(err error, memlock bool) error {
	if lockedDown(err) || errors.Is(err, os.ErrPermission) && !rejected(err) {
		return &DeniedError{privilege.WhyRefused(os.DirFS("/"), memlock), err}
	}
	return err
}

// lockedDown reports whether lockdown is why the verifier rejected a program.
func lockedDown(err error) bool {
	return rejected(err) && privilege.LockedDown(os.DirFS("/"))
}

// unlimit raises the limit on locked memory, and reports whether that failed where maps
// count as such: before 5.11, which removed struct bpf_map_memory (include/linux/bpf.h).
// What the library finds out of that it takes from a map it may or may not make.
func unlimit(kernel *btf.Spec) bool {
	if rlimit.RemoveMemlock() == nil {
		return false
	}
	if kernel == nil {
		return true // it may be
	}
	var accounting *btf.Struct
	return kernel.TypeByName("bpf_map_memory", &accounting) == nil
}

// rejected reports whether the verifier looked at a program and would not have it.
func rejected(err error) bool {
	var verifier *ebpf.VerifierError
	return errors.As(err, &verifier)
}
