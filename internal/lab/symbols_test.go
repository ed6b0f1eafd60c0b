// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
)

type symbol struct {
	addr uint64
	name string
}

// kernelSymbols returns the kernel's functions by address.
func kernelSymbols(t *testing.T) []symbol {
	t.Helper()
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var symbols []symbol
	for scanner := bufio.NewScanner(f); scanner.Scan(); {
		var s symbol
		var kind string
		if _, err := fmt.Sscanf(scanner.Text(), "%x %s %s", &s.addr, &kind, &s.name); err != nil {
			t.Fatal(err)
		}
		if strings.EqualFold(kind, "t") {
			symbols = append(symbols, s)
		}
	}
	slices.SortFunc(symbols, func(a, b symbol) int { return cmp.Compare(a.addr, b.addr) })
	return symbols
}

// name returns the functions of a stack, innermost first.
func (d *death) stack(symbols []symbol) []string {
	var names []string
	for _, addr := range d.Stack[:max(0, d.StackBytes)/8] {
		i, exact := slices.BinarySearchFunc(symbols, addr, func(s symbol, addr uint64) int {
			return cmp.Compare(s.addr, addr)
		})
		if !exact {
			i--
		}
		if i >= 0 {
			names = append(names, symbols[i].name)
		}
	}
	return names
}

// reasonNames returns the names of enum skb_drop_reason, without their prefix.
func reasonNames(t *testing.T) map[uint32]string {
	t.Helper()
	spec, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	var enum *btf.Enum
	if err := spec.TypeByName("skb_drop_reason", &enum); err != nil {
		t.Fatal(err)
	}
	names := map[uint32]string{}
	for _, v := range enum.Values {
		names[uint32(v.Value)] = strings.TrimPrefix(v.Name, "SKB_DROP_REASON_")
	}
	return names
}
