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

// explain adds the reason to an error about permission. memlock says that maps count against
// RLIMIT_MEMLOCK and that it could not be raised. Under lockdown the verifier rejects programs
// that read kernel memory (bpf_tracing_func_proto, kernel/trace/bpf_trace.c).
func explain(err error, memlock bool) error {
	if lockedDown(err) || errors.Is(err, os.ErrPermission) && !rejected(err) {
		return &DeniedError{privilege.WhyRefused(os.DirFS("/"), memlock), err}
	}
	return err
}

// lockedDown reports whether the verifier rejected a program because of lockdown.
func lockedDown(err error) bool {
	return rejected(err) && privilege.LockedDown(os.DirFS("/"))
}

// unlimit raises RLIMIT_MEMLOCK. It returns true if that failed and maps count against the
// limit, as before 5.11, which removed struct bpf_map_memory (include/linux/bpf.h). The library
// detects this by creating a map, which may fail for other reasons.
func unlimit(kernel *btf.Spec) bool {
	if rlimit.RemoveMemlock() == nil {
		return false
	}
	if kernel == nil {
		return true // maps may count
	}
	var accounting *btf.Struct
	return kernel.TypeByName("bpf_map_memory", &accounting) == nil
}

// rejected reports whether the verifier rejected a program.
func rejected(err error) bool {
	var verifier *ebpf.VerifierError
	return errors.As(err, &verifier)
}
