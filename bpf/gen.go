// Package bpf holds the programs that run in the kernel, compiled, and the
// structs they share with user space, generated from wire.h.
package bpf

// Run by make generate, which sets the compiler flags in BPF2GO_CFLAGS.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target bpfel -type cell_key -type cell -type cell_state -type cpu_stats -type record_flag -type record Drop drop.bpf.c
