// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// entry is a row while it is explained.
type entry struct {
	Row
	rule
	shares map[*place]uint64 // of Traced, by place
	lost   uint64            // of Unseen, what no row before counts
	// unexplained is what of Unexplained no row before counts.
	unexplained uint64
	benign      uint64 // what of Benign no row before counts
	number      int    // of the row
}

// explainer divides the drops of a Book among the counters that they moved.
type explainer struct {
	*Book
	places places
	taken  map[rivals]map[*place]uint64 // by counters that were traced
	passed map[rivals]map[*place]uint64 // by rows so far
	// counted is how many drops at a place are in rows so far: what rivals count is added
	// up, what others count are the same packets. first is the row that had some first.
	counted map[*place]uint64
	first   map[*place]*entry
	// certain are those whose drops each moved a counter.
	certain map[*event.Cell]bool
	left    map[leftover]untraced // of the rows so far
	drivers map[event.DeviceID][]event.Movement
}

func newExplainer(b *Book) *explainer {
	return &explainer{
		Book: b, places: b.places(),
		taken: map[rivals]map[*place]uint64{}, passed: map[rivals]map[*place]uint64{},
		counted: map[*place]uint64{}, first: map[*place]*entry{}, certain: map[*event.Cell]bool{},
		left: map[leftover]untraced{},
	}
}

// trace finds the drops that moved a counter. One that did not move is of interest only
// if each drop had to move it.
func (x *explainer) trace(e *entry) {
	if e.Delta == 0 && e.kind != oneToOne || e.kind == unseen {
		return
	}
	var places []*place
	var certain uint64
	surely := map[*place]bool{}
	for _, p := range x.places.of(e.Counter) {
		if may, sure := p.moves(e.Counter, e.rule); may && p.most > 0 {
			places = append(places, p)
			if sure && e.kind == oneToOne {
				surely[p] = true
				certain += p.least
				x.certain[p.cell] = true
			}
		}
	}
	if e.Gone {
		certain = 0
	}
	// What cannot be told apart is lost rather than not.
	slices.SortStableFunc(places, func(a, b *place) int {
		return cmp.Or(trueFirst(surely[a], surely[b]), trueFirst(b.benign, a.benign))
	})
	taken := of(x.taken, e.rivals())
	e.shares = map[*place]uint64{}
	for left := e.Delta; len(places) > 0 && left > 0; places = places[1:] {
		p := places[0]
		n := min(left, p.most-min(p.most, taken[p]))
		if n == 0 {
			continue
		}
		e.shares[p] = n
		taken[p] += n
		e.Traced += n
		if p.benign {
			e.Benign += n
		}
		left -= n
	}
	e.Traced = max(e.Traced, certain)
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// settle divides what was not traced, and says how many packets of the row are in no row
// before it. first is the first row of all.
func (x *explainer) settle(e *entry, number int, first *entry) {
	e.number = number
	defer x.leave(e)
	rest := e.Delta - min(e.Delta, e.Traced)
	switch {
	case e.kind == unseen || e.kind == partly:
		e.Unseen = rest
	case e.kind == echo:
		e.Unseen, rest = rest, 0
	case e.kind == byDrops && e.Source == event.CounterLink:
		e.Unseen = min(rest, x.byDriver(e.Counter))
	}
	theirs := x.left[x.repeats(e.Counter)]
	same := theirs.last
	if e.kind != echo {
		e.lost = e.Unseen - min(e.Unseen, theirs.lost)
		e.Unseen += min(rest-e.Unseen, theirs.lost)
	}
	e.Unexplained = int64(e.Delta) - int64(e.Traced) - int64(e.Unseen)
	if e.Within != "" {
		return
	}
	overlap := map[*entry]uint64{}
	rest = uint64(max(0, e.Unexplained))
	e.unexplained = rest - min(rest, theirs.unexplained)
	died, benign := x.count(e, overlap)
	e.Packets, e.benign = died+e.lost+e.unexplained, benign
	if e.Packets+e.benign > 0 || e.Delta == 0 {
		return
	}
	if same == nil && number > 0 {
		same = first
	}
	for other, packets := range overlap {
		if most := overlap[same]; packets > most || packets == most && packets > 0 && other.number < same.number && same != theirs.last {
			same = other
		}
	}
	if same != nil {
		e.Mirrors = same.String()
	}
}

// count adds the drops in a row's shares to those that rows count, and returns how many
// no row before counts: lost ones and benign ones. overlap gets
// the others, by the row that had them first.
func (x *explainer) count(e *entry, overlap map[*entry]uint64) (lost, benign uint64) {
	passed := of(x.passed, e.rivals())
	for p, n := range e.shares {
		passed[p] += n
		more := passed[p] - min(passed[p], x.counted[p])
		x.counted[p] += more
		if p.benign {
			benign += more
		} else {
			lost += more
		}
		if x.first[p] == nil {
			x.first[p] = e
		}
		overlap[x.first[p]] += n - more
	}
	return lost, benign
}

// untraced is what rows count of packets that were not traced. last is one of them.
type untraced struct {
	lost, unexplained uint64
	last              *entry
}

// leftover is a kind of counters whose untraced packets another may count as well, by
// device or namespace.
type leftover struct {
	kind   string
	netns  uint32
	device event.DeviceID
}

// The kinds of leftovers.
const (
	leftReceived  = "received"   // rx_dropped of a device
	leftAllDevice = "of devices" // rx_dropped of all of them
	leftSent      = "sent"       // what queues and devices did not send
	leftRefused   = "refused"    // what sockets refused
)

// leave adds up the untraced packets of a row for those after it.
func (x *explainer) leave(e *entry) {
	if e.lost == 0 && e.Unexplained <= 0 {
		return
	}
	add := func(at leftover) {
		sum := x.left[at]
		sum.lost += e.lost
		sum.unexplained += uint64(max(0, e.Unexplained))
		sum.last = e
		x.left[at] = sum
	}
	isLink := e.Source == event.CounterLink
	if isLink && e.Name == "rx_dropped" {
		add(leftover{kind: leftReceived, device: e.ID().Device})
		add(leftover{kind: leftAllDevice})
	}
	if e.Source == event.CounterQdisc || isLink && e.Name == "tx_dropped" {
		add(leftover{kind: leftSent, netns: e.Netns.Inode})
	}
	if strings.HasPrefix(e.Name, "Udp") && strings.HasSuffix(e.Name, "InErrors") {
		add(leftover{kind: leftRefused, netns: e.Netns.Inode})
	}
}

// repeats returns what rows before that of a counter may have counted already of what it
// counts.
func (x *explainer) repeats(c event.Counter) leftover {
	switch {
	case c.Source == event.CounterLink && c.Name == "tx_dropped": // veth_xmit counts what its peer refuses (drivers/net/veth.c)
		return leftover{kind: leftReceived, device: x.places.peers[c.ID().Device]}
	case c.Source == event.CounterSoftnet: // enqueue_to_backlog (net/core/dev.c)
		return leftover{kind: leftAllDevice}
	case c.Source == event.CounterProtocol && strings.HasSuffix(c.Name, "OutDiscards"): // ip_send_skb learns of what was not sent (net/ipv4/ip_output.c)
		return leftover{kind: leftSent, netns: c.Netns.Inode}
	case c.Source == event.CounterXfrm: // whoever asks xfrm_policy_check counts what it refuses
		return leftover{kind: leftRefused, netns: c.Netns.Inode}
	}
	return leftover{}
}

// byDriver returns how many of an interface's drops the driver's own counters count:
// it dropped them before there was an skb, or freed what it had not handed on.
func (x *explainer) byDriver(c event.Counter) (most uint64) {
	if x.drivers == nil {
		x.drivers = map[event.DeviceID][]event.Movement{}
		for _, m := range x.meter.Movements() {
			if m.Source == event.CounterDriver {
				x.drivers[m.ID().Device] = append(x.drivers[m.ID().Device], m)
			}
		}
	}
	direction, _, _ := strings.Cut(c.Name, "_")
	for _, m := range x.drivers[c.ID().Device] {
		if strings.Contains(m.Name, direction) && !dropsUnseen(m.Name) {
			most = max(most, m.Moved)
		}
	}
	return most
}

// rivals are the counters of one place of which a drop moves one at most.
type rivals struct {
	kind   string
	netns  uint32
	device event.DeviceID
}

func (e *entry) rivals() rivals {
	r := rivals{string(e.Source), e.Netns.Inode, e.ID().Device}
	switch {
	case e.Within != "":
		r.kind += " within " + e.Within
	case e.Source == event.CounterQdisc && hook(e.Part) == "":
		r.kind = txRivals
	case e.Source == event.CounterLink && strings.HasPrefix(e.Name, "tx_"):
		r.kind = txRivals
	case e.Source == event.CounterProtocol && e.Name != "Ip6FragFails": // which ip6_forward counts beside Ip6InTooBigErrors
		r.kind = family(e.Name)
	}
	return r
}

// txRivals are the counters of what a device or its queue did not send: the noop qdisc of
// a device that is down has no counter, and counts at the device (noop_enqueue,
// net/sched/sch_generic.c).
const txRivals = "tx"

// family returns the protocol that a counter is of.
func family(name string) string {
	if name == "TcpExtIPReversePathFilter" || strings.HasPrefix(name, "IpExt") {
		return "Ip"
	}
	for _, prefix := range []string{"Icmp6", "Icmp", "Ip6", "Ip", "Udp6", "Udp"} {
		if strings.HasPrefix(name, prefix) {
			return prefix
		}
	}
	return "Tcp"
}

// of returns the counts of rivals, new ones if there are none yet.
func of(all map[rivals]map[*place]uint64, r rivals) map[*place]uint64 {
	if all[r] == nil {
		all[r] = map[*place]uint64{}
	}
	return all[r]
}
