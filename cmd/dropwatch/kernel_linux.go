// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io/fs"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
)

// isUnsupported reports whether this kernel lacks what a program needs.
func isUnsupported(err error) bool { return errors.Is(err, ebpf.ErrNotSupported) }

// isRefused reports whether this kernel's verifier refused a program.
func isRefused(err error) bool { return errors.As(err, new(*ebpf.VerifierError)) }

// kernelReasons returns the running kernel's reasons: those of its BTF, or, where it has
// none, those that tracefs shows to root. It returns nil where there is neither.
func kernelReasons(root fs.FS) (*dropreason.Names, error) {
	names, err := kernelreason.FromKernel(btf.NewCache())
	if !errors.Is(err, ebpf.ErrNotSupported) {
		return names, err
	}
	names, _, err = dropreason.ReadFormat(root)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, nil
	}
	return names, err
}
