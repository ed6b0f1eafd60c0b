// SPDX-License-Identifier: Apache-2.0

package inject

// Run by make generate, which sets the compiler flags in BPF2GO_CFLAGS.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target bpfel inject inject.bpf.c
