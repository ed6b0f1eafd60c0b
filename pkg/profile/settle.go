// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/ledger"
)

// settled is what the drops of cells came to that are gone (event.Tick.Gone), by group.
type settled[K comparable] struct {
	of    map[slot[K]]*Value
	order []slot[K]

	benign uint64 // of their drops
}

// maxSettled is how many groups of cells that are gone are kept apart, where groups are of
// cells alone. Cells that go later and are of no such group are added up under [gone] devices
// and namespaces.
const maxSettled = 1 << 10

// settle divides the drops of a cell that is gone among their groups, and forgets the cell.
func (a *Aggregator[K]) settle(cell *event.Cell) {
	p := a.pools[cell]
	if p == nil || cell.Overflow {
		return
	}
	delete(a.pools, cell)
	last := len(a.order) - 1
	a.order[p.number] = a.order[last]
	a.order[p.number].number = p.number
	a.order[last] = nil
	a.order = a.order[:last]
	if a.byCell && len(a.settled.order) >= maxSettled {
		if _, known := a.settled.of[slot[K]{a.key(cell, nil), IsPart(cell)}]; !known {
			p.cell = ledger.Gone(cell)
		}
	}
	a.divide(p, true, func(s slot[K], v Value) {
		if a.settled.of[s] == nil {
			a.settled.of[s] = &Value{Exact: true}
			a.settled.order = append(a.settled.order, s)
		}
		v.addTo(a.settled.of[s])
		if isBenign(p.cell) {
			a.settled.benign += v.Drops
		}
	})
}
