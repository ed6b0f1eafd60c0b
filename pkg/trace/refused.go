// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"

	"github.com/dropwatch/dropwatch/pkg/host"
)

// attachError leaves out what the library adds to a missing permission, a guess at
// limits. The verifier denies, too, but says why.
func attachError(what string, err error) error {
	if errors.Is(err, os.ErrPermission) && !rejected(err) {
		err = os.ErrPermission
	}
	return fmt.Errorf("%s: %w", what, err)
}

// explain adds to a missing permission why it is missing. memlock is why the limit on
// locked memory could not be raised, if it counts. Lockdown has the verifier reject what
// reads the kernel's memory (bpf_tracing_func_proto, kernel/trace/bpf_trace.c).
func explain(err, memlock error) error {
	files := host.Files{Root: os.DirFS("/")}
	if rejected(err) && files.LockedDown() || errors.Is(err, os.ErrPermission) && !rejected(err) {
		return &DeniedError{files.Refusal(memlock != nil), err}
	}
	return err
}

// rejected reports whether the verifier looked at a program and would not have it.
func rejected(err error) bool {
	var verifier *ebpf.VerifierError
	return errors.As(err, &verifier)
}
