// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/rlimit"

	"github.com/dropwatch/dropwatch/pkg/privilege"
)

// refusals say why the kernel refused each rung of a ladder.
type refusals struct {
	rungs []string
	errs  []error
}

// add leaves out what the library adds to a missing permission, a guess at limits. The
// verifier denies, too, but says why.
func (r *refusals) add(rung string, err error) {
	if errors.Is(err, os.ErrPermission) && !rejected(err) {
		err = os.ErrPermission
	}
	r.rungs, r.errs = append(r.rungs, rung), append(r.errs, err)
}

// of returns an error that says what was tried, in a line where all were refused alike.
func (r *refusals) of(what string) error {
	if !slices.ContainsFunc(r.errs, func(err error) bool { return err.Error() != r.errs[0].Error() }) {
		return fmt.Errorf("%s by %s: %w", what, strings.Join(r.rungs, ", "), r.errs[0])
	}
	errs := make([]error, len(r.errs))
	for i, err := range r.errs {
		errs[i] = fmt.Errorf("%s by %s: %w", what, r.rungs[i], err)
	}
	return errors.Join(errs...)
}

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
