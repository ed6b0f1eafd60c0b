// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

const (
	// muchSqueeze, per second, is beyond what busy nodes show without harm.
	muchSqueeze = 10

	budgetName = "net.core.netdev_budget"
	usecsName  = "net.core.netdev_budget_usecs"
)

// budgets speaks when CPUs end receiving with work left muchSqueeze times a second: a
// warning if packets are lost meanwhile in rings or backlogs, else for information.
func budgets(n *nodeInput) []found {
	squeezed := n.machine(event.CounterSoftnet, "time_squeeze")
	rate := n.perSecond(squeezed.moved)
	if rate < muchSqueeze {
		return nil
	}
	f := Finding{ID: "budget", Severity: Info, Evidence: n.facts("time_squeeze", squeezed)}
	if n.behind() {
		f.Severity = Warning
	}
	f.Explain = say("%.0f times a second a CPU stopped receiving with packets left, as its budget of packets or time was used up.", rate)
	for _, s := range []struct {
		name string
		span span
	}{{budgetName, span{300, 1200}}, {usecsName, span{2000, 16000}}} {
		now, ok := n.State.Sysctls.Number(s.name)
		if !ok {
			continue
		}
		f.Evidence = append(f.Evidence, Fact{s.name, now})
		if then := min(max(2*now, s.span.least), s.span.most); then > now {
			n.set(&f, n.own(), setting{s.name, number(now), number(then)})
			if s.name == usecsName {
				f.Cost = say("tasks on such a CPU may wait %s for their turn instead of %s", time.Duration(then)*time.Microsecond, time.Duration(now)*time.Microsecond)
			}
		}
	}
	return []found{{f, rate}}
}

// behind tells whether packets are lost because CPUs do not take them in time.
func (n *nodeInput) behind() bool {
	if n.machine(event.CounterSoftnet, "dropped").moved > 0 {
		return true
	}
	for _, c := range n.of(event.CounterLink, "rx_missed_errors", "rx_fifo_errors") {
		if c.moved > 0 {
			return true
		}
	}
	return false
}
