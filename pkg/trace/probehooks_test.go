// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

func TestWhyNot(t *testing.T) {
	if got, want := whyNot(fmt.Errorf("attach: %w", ebpf.ErrNotSupported), "CONFIG_FPROBE"), "kernel without CONFIG_FPROBE"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for want, err := range map[string]error{
		"the verifier: unknown func bpf_probe_read#4": fmt.Errorf("load: %w", &ebpf.VerifierError{Cause: unix.EINVAL, Log: []string{
			"; x = 1", "unknown func bpf_probe_read#4", "processed 63 insns (limit 1000000) max_states_per_insn 0", "",
		}}), // as under lockdown, 5.10
		"the verifier: no reason given": &ebpf.VerifierError{Cause: unix.EACCES},
		"operation not permitted":       fmt.Errorf("attach: %w", unix.EPERM),
		"permission denied":             os.ErrPermission,
		"tracefs is not mounted":        fmt.Errorf("create ebpf_1/f: %w", errors.New("tracefs is not mounted")),
		"not in this kernel":            fmt.Errorf("attach: %w", os.ErrNotExist),
	} {
		if got := whyNot(err, "CONFIG_FPROBE"); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
