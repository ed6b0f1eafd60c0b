// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

const (
	backlogName = "net.core.netdev_max_backlog"

	// backlogWait is how long a CPU may leave its backlog alone: a softirq's time
	// slice (netdev_budget_usecs, 2 to 8 ms), of which the NIC's ring has a part.
	backlogWait = 4 * time.Millisecond

	// backlogLargest is the queue beyond which more of it only delays packets.
	backlogLargest = 131072
)

// backlogs speaks when a CPU's backlog, which packets of veths, loopback, and RPS pass,
// was full: in the interval, or, for information, since boot (see lostBefore). Packets over
// a flow limit count as well (enqueue_to_backlog in net/core/dev.c).
func backlogs(n *nodeInput) []found {
	dropped := n.machine(event.CounterSoftnet, "dropped")
	if dropped.moved == 0 && !lostBefore(dropped.total, n.received()) {
		return nil
	}
	now, known := n.State.Sysctls.Number(backlogName)
	f := Finding{ID: "backlog", Severity: n.losing(dropped.moved), Evidence: n.facts("softnet_dropped", dropped)}
	if known {
		f.Evidence = append(f.Evidence, Fact{"netdev_max_backlog", now})
	}
	if dropped.moved > 0 {
		f.Evidence = append(f.Evidence, n.victims()...)
	}
	f.Explain = say("CPUs dropped %d packets in %s because their backlog, the queue behind veths, loopback and RPS, was full.", dropped.moved, n.Elapsed.Round(time.Second))
	if dropped.moved == 0 {
		f.Explain = say("CPUs dropped %d packets since boot, none in the last %s, because their backlog, the queue behind veths, loopback and RPS, was full.", dropped.total, n.Elapsed.Round(time.Second))
	}
	then := n.backlogFor(now)
	switch {
	case !known:
	case dropped.moved == 0 && number(now) != kernelDefaults[backlogName]:
		f.Explain += say(" %s is not the kernel's default any more: they may be from before it was raised.", backlogName)
	case then > now:
		n.set(&f, n.own(), setting{backlogName, number(now), number(then)})
		f.Cost = say("up to %s more on each CPU whose backlog is full, in packets of 2 KiB; the last of %d packets waits %s at a million packets a second", mebibytes((then-now)*2048), then, time.Duration(then)*time.Microsecond)
	default:
		f.Explain += " A longer queue would only delay them: spread the packets over more CPUs."
	}
	return []found{{f, n.weight(dropped)}}
}

// backlogFor is a queue for what the fastest device receives in backlogWait, in packets
// of its MTU, as a power of two; eight times as long as now where no speed is known.
func (n *nodeInput) backlogFor(now uint64) uint64 {
	need := 8 * now
	for _, link := range hardware(n.own()) {
		if link.Speed == 0 || link.MTU == 0 || !link.Up {
			continue
		}
		perSecond := uint64(link.Speed) * 1e6 / 8 / uint64(link.MTU)
		fast := perSecond * uint64(backlogWait) / uint64(time.Second)
		if need == 8*now || fast > need {
			need = fast
		}
	}
	size := uint64(1024)
	for 2*size <= need {
		size *= 2
	}
	if size <= now {
		size = 2 * now
	}
	return min(size, backlogLargest)
}

// victims names the devices whose packets were dropped most in the interval, three at
// most.
func (n *nodeInput) victims() []Fact {
	drops := slices.DeleteFunc(n.of(event.CounterLink, "rx_dropped"), func(c change) bool { return c.moved == 0 })
	slices.SortStableFunc(drops, func(a, b change) int { return cmp.Compare(b.moved, a.moved) })
	var words []string
	for _, c := range drops[:min(3, len(drops))] {
		name := c.Device
		if link, ok := n.namespace(c.Netns).Find(c.Device); ok {
			name = title(link)
		}
		words = append(words, fmt.Sprintf("%d %s", c.moved, name))
	}
	if words == nil {
		return nil
	}
	return []Fact{{"rx_dropped_most", strings.Join(words, ", ")}}
}

// received is what the devices there are now took in since they were made. (The column
// of /proc/net/softnet_stat wraps at 32 bits.)
func (n *nodeInput) received() uint64 {
	var sum uint64
	for _, ns := range n.State.Namespaces {
		for _, link := range ns.Links {
			if !sumsUp(link) {
				sum += link.RxPackets
			}
		}
	}
	return sum
}
