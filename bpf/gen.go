// Package bpf holds the programs that run in the kernel, compiled, and the
// structs they share with user space, generated from wire.h.
package bpf

// Run by make generate, which sets the compiler flags in BPF2GO_CFLAGS.
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target bpfel -type cell_key -type cell -type cell_state -type cell_location -type schedule -type cpu_stats -type record_flag -type packet_sort -type record Drop drop.bpf.c
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -target bpfel -type task -type interrupted -type header -type window -type edge -type cpu_sample -type late_packet -type record_type -type edge_kind -type waiter -type window_flag -type sample_flag -type task_flag -type cpu Stall stall.bpf.c
