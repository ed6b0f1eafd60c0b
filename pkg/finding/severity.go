// SPDX-License-Identifier: Apache-2.0

package finding

const (
	// muchLoss, in packets per second, is what users notice: a hundred connections
	// every second wait for a retransmission.
	muchLoss = 100
	// someLoss, in packets per second, is more than what now and then goes wrong on
	// any network.
	someLoss = 1

	// A share of lost packets since boot tells of loss that comes and goes: one in
	// ten thousand halves what a TCP connection reaches over long distances. Few
	// packets tell nothing.
	lifetimeShare = 1e-4
	lifetimeLeast = 1000
)

// losing grades loss that goes on.
func (n *nodeInput) losing(packets uint64) Severity {
	switch rate := n.perSecond(packets); {
	case rate >= muchLoss:
		return Critical
	case rate >= someLoss:
		return Warning
	}
	return Info
}

// atMost keeps a severity from going beyond another.
func atMost(limit, s Severity) Severity {
	if s.rank() > limit.rank() {
		return limit
	}
	return s
}

// lostBefore tells whether what was lost since boot, beside what was received, is worth
// a finding though nothing is lost now.
func lostBefore(lost, received uint64) bool {
	return lost >= lifetimeLeast && float64(lost) >= lifetimeShare*float64(lost+received)
}

// facts are what a counter did.
func (n *nodeInput) facts(name string, c change) []Fact {
	return []Fact{
		{name, c.moved},
		{name + "_per_s", n.perSecond(c.moved)},
		{name + "_total", c.total},
	}
}
