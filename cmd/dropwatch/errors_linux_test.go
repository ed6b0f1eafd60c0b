// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/dropwatch/dropwatch/pkg/trace"
)

func TestStatus(t *testing.T) {
	tracing := func(err error) error { return fmt.Errorf("%w: %w", errAttach, err) }
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"none":             {nil, statusDone},
		"usage":            {usageError{errors.New("x")}, statusUsage},
		"privilege":        {tracing(&trace.DeniedError{}), statusPrivilege},
		"file":             {&fs.PathError{Op: "open", Path: "x", Err: os.ErrPermission}, statusFailed},
		"not in a kernel":  {tracing(ebpf.ErrNotSupported), statusKernel},
		"verifier":         {tracing(&ebpf.VerifierError{Cause: os.ErrPermission}), statusKernel},
		"no types":         {tracing(fmt.Errorf("%w: %w", trace.ErrNoTypes, ebpf.ErrNotSupported)), statusKernel},
		"threshold":        {thresholdError{errors.New("x")}, statusThreshold},
		"of the command":   {commandError{7}, 7},
		"any other":        {errors.New("x"), statusFailed},
		"command and file": {errors.Join(commandError{7}, fs.ErrPermission), 7},
	} {
		t.Run(name, func(t *testing.T) {
			if got := status(test.err); got != test.want {
				t.Errorf("status %d, want %d", got, test.want)
			}
		})
	}
}
