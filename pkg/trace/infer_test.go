// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"testing"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// places are functions by address.
type places map[uint64]string

func (p places) Lookup(addr uint64) (symbolize.Symbol, bool) {
	name, ok := p[addr]
	return symbolize.Symbol{Name: name, Offset: 0x10, Module: "vmlinux"}, ok
}

func (places) Find(string) (uint64, bool) { return 0, false }

// TestInferred: on a kernel without reasons the reason of a cell follows from its location.
func TestInferred(t *testing.T) {
	functions := places{0x1000: "enqueue_to_backlog", 0x2000: "tcp_v4_rcv"}
	r := newResolver(0, newStacks(functions, 127), &dropreason.Names{})
	for location, want := range map[uint64]event.Reason{
		0x1000: {Name: "CPU_BACKLOG", Inferred: true},
		0x2000: {Name: "NOT_SPECIFIED", Vague: true},
		0x3000: {Name: "NOT_SPECIFIED"},
	} {
		if got := r.cell(&bpf.DropCellKey{Location: location}, false).Reason; got != want {
			t.Errorf("at %#x: %+v, want %+v", location, got, want)
		}
	}
}
