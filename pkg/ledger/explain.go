// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// entry is a row while it is explained. There may be a hundred thousand, most of them of
// counters that did not move and make no row: it is small.
type entry struct {
	counter *event.Counter
	rule    *rule
	within  string // Row.Within
	delta   uint64 // likewise, and so on
	traced  uint64
	benign  uint64
	shares  []share // of traced
	number  int     // of the row
	gone    bool
}

// share is how many of a row's drops died at a place.
type share struct {
	*place
	drops uint64
}

// explainer divides the drops of a Book among the counters that they moved.
type explainer struct {
	*Book
	places places
	taken  map[rivals]map[*place]uint64 // by counters that were traced
	queues map[queues]*candidates
	passed map[rivals]map[*place]uint64 // by rows so far
	// counted is how many drops at a place are in rows so far: what rivals count is added
	// up, what others count are the same packets. first is the row that had some first.
	counted map[*place]uint64
	first   map[*place]*entry
	// certain are those whose drops each moved a counter.
	certain map[*event.Cell]bool
	spelled struct {
		*entry
		text string
	}
	left    map[leftover]untraced // of the rows so far
	drivers map[event.DeviceID][]*event.Movement
}

// candidates are the places whose drops may move a counter, in the order in which they do.
type candidates struct {
	places  []*place
	certain uint64 // how many of their drops are sure to move it
}

// queues are the counters of a device that count the same by queue.
type queues struct {
	rivals
	spelling string
}

func newExplainer(b *Book) *explainer {
	return &explainer{
		Book: b, places: b.places(),
		taken: map[rivals]map[*place]uint64{}, queues: map[queues]*candidates{}, passed: map[rivals]map[*place]uint64{},
		counted: map[*place]uint64{}, first: map[*place]*entry{}, certain: map[*event.Cell]bool{},
		left: map[leftover]untraced{},
	}
}

// trace finds the drops that moved a counter. One that did not move is of interest only
// if each drop had to move it.
func (x *explainer) trace(e *entry) {
	if e.delta == 0 && e.rule.kind != oneToOne || e.rule.kind == unseen {
		return
	}
	all := x.candidates(e)
	if len(all.places) == 0 {
		return
	}
	taken := of(x.taken, e.rivals())
	for len(all.places) > 0 && all.places[0].most <= taken[all.places[0]] {
		all.places = all.places[1:]
	}
	left := e.delta
	for _, p := range all.places {
		if left == 0 {
			break
		}
		n := min(left, p.most-min(p.most, taken[p]))
		if n == 0 {
			continue
		}
		e.shares = append(e.shares, share{p, n})
		taken[p] += n
		e.traced += n
		if p.benign {
			e.benign += n
		}
		left -= n
	}
	if !e.gone {
		e.traced = max(e.traced, all.certain)
	}
}

// candidates returns the places whose drops may move a counter. A driver may have many
// queues, so their places are found once.
func (x *explainer) candidates(e *entry) *candidates {
	spelling := e.rule.spelling()
	if !x.places.spellings[spelling] {
		return &candidates{}
	}
	if e.counter.Source != event.CounterDriver {
		return x.find(e)
	}
	at := queues{e.rivals(), spelling}
	if x.queues[at] == nil {
		x.queues[at] = x.find(e)
	}
	return x.queues[at]
}

func (x *explainer) find(e *entry) *candidates {
	var all candidates
	surely := map[*place]bool{}
	for _, places := range x.places.of(e.counter) {
		for _, p := range places {
			may, sure := p.moves(e.counter, e.rule)
			if !may || p.most == 0 {
				continue
			}
			all.places = append(all.places, p)
			if sure && e.rule.kind == oneToOne {
				surely[p] = true
				all.certain += p.least
				x.certain[p.cell] = true
			}
		}
	}
	// What cannot be told apart is lost rather than not.
	slices.SortStableFunc(all.places, func(a, b *place) int {
		return cmp.Or(trueFirst(surely[a], surely[b]), trueFirst(b.benign, a.benign))
	})
	return &all
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

// settle returns the row of an entry: it divides what was not traced, and says how many
// packets of the row are in no row before it. first is the first row of all. unexplained
// and benign are of those that are in no row before.
func (x *explainer) settle(e, first *entry) (row Row, left remainder) {
	row = Row{Counter: *e.counter, Delta: e.delta, Traced: e.traced, Benign: e.benign, Within: e.within, Gone: e.gone}
	rest := e.delta - min(e.delta, e.traced)
	switch {
	case e.rule.kind == unseen || e.rule.kind == partly:
		row.Unseen = rest
	case e.rule.kind == echo:
		row.Unseen, rest = rest, 0
	case e.rule.kind == byDrops && row.Source == event.CounterLink:
		row.Unseen = min(rest, x.byDriver(e.counter))
	}
	theirs := x.left[x.repeats(e.counter)]
	same := theirs.last
	if e.rule.kind != echo {
		left.lost = row.Unseen - min(row.Unseen, theirs.lost)
		row.Unseen += min(rest-row.Unseen, theirs.lost)
	}
	row.Unexplained = int64(e.delta) - int64(e.traced) - int64(row.Unseen)
	defer func() { x.leave(e, &row, left.lost) }()
	if row.Within != "" {
		return row, left
	}
	overlap := map[*entry]uint64{}
	rest = uint64(max(0, row.Unexplained))
	left.unexplained = rest - min(rest, theirs.unexplained)
	died, benign := x.count(e, overlap)
	row.Packets, left.benign = died+left.lost+left.unexplained, benign
	if row.Packets+benign > 0 || e.delta == 0 {
		return row, left
	}
	if same == nil && e != first {
		same = first
	}
	for other, packets := range overlap {
		if most := overlap[same]; packets > most || packets == most && packets > 0 && other.number < same.number && same != theirs.last {
			same = other
		}
	}
	if same != nil {
		row.Mirrors = x.spell(same)
	}
	return row, left
}

// remainder is what of a row no row before counts.
type remainder struct{ lost, unexplained, benign uint64 }

// spell returns what a row is called. Many may mirror the same one.
func (x *explainer) spell(e *entry) string {
	if x.spelled.entry != e {
		x.spelled.entry, x.spelled.text = e, spellCounter(e.counter)
	}
	return x.spelled.text
}

// count adds the drops in a row's shares to those that rows count, and returns how many
// no row before counts: lost ones and benign ones. overlap gets
// the others, by the row that had them first.
func (x *explainer) count(e *entry, overlap map[*entry]uint64) (lost, benign uint64) {
	if len(e.shares) == 0 {
		return 0, 0
	}
	passed := of(x.passed, e.rivals())
	for _, s := range e.shares {
		p, n := s.place, s.drops
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
	kind   leftKind
	netns  uint32
	device event.DeviceID
}

type leftKind int

const (
	leftReceived  leftKind = iota + 1 // rx_dropped of a device
	leftAllDevice                     // rx_dropped of all of them
	leftSent                          // what queues and devices did not send
	leftRefused                       // what sockets refused
)

// leave adds up the untraced packets of a row for those after it.
func (x *explainer) leave(e *entry, row *Row, lost uint64) {
	if lost == 0 && row.Unexplained <= 0 {
		return
	}
	add := func(at leftover) {
		sum := x.left[at]
		sum.lost += lost
		sum.unexplained += uint64(max(0, row.Unexplained))
		sum.last = e
		x.left[at] = sum
	}
	isLink := row.Source == event.CounterLink
	if isLink && row.Name == "rx_dropped" {
		if id := row.DeviceID(); x.places.peers[id] != (event.DeviceID{}) {
			add(leftover{kind: leftReceived, device: id})
		}
		add(leftover{kind: leftAllDevice})
	}
	if row.Source == event.CounterQdisc || isLink && row.Name == "tx_dropped" {
		add(leftover{kind: leftSent, netns: row.Netns.Inode})
	}
	if strings.HasPrefix(row.Name, "Udp") && strings.HasSuffix(row.Name, "InErrors") {
		add(leftover{kind: leftRefused, netns: row.Netns.Inode})
	}
}

// repeats returns what rows before that of a counter may have counted already of what it
// counts.
func (x *explainer) repeats(c *event.Counter) leftover {
	switch {
	case c.Source == event.CounterLink && c.Name == "tx_dropped": // veth_xmit counts what its peer refuses (drivers/net/veth.c)
		return leftover{kind: leftReceived, device: x.places.peers[c.DeviceID()]}
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
func (x *explainer) byDriver(c *event.Counter) (most uint64) {
	if x.drivers == nil {
		x.drivers = map[event.DeviceID][]*event.Movement{}
		for m := range x.meter.Each() {
			if m.Source == event.CounterDriver && m.Moved > 0 && !dropsUnseen(m.Name) {
				x.drivers[m.DeviceID()] = append(x.drivers[m.DeviceID()], m)
			}
		}
	}
	direction, _, _ := strings.Cut(c.Name, "_")
	for _, m := range x.drivers[c.DeviceID()] {
		if strings.Contains(m.Name, direction) {
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
	c := e.counter
	r := rivals{string(c.Source), c.Netns.Inode, c.DeviceID()}
	switch {
	case e.within != "":
		r.kind += " within " + e.within
	case c.Source == event.CounterQdisc && hook(c.Part) == "":
		r.kind = txRivals
	case c.Source == event.CounterLink && strings.HasPrefix(c.Name, "tx_"):
		r.kind = txRivals
	case c.Source == event.CounterProtocol && c.Name != "Ip6FragFails": // which ip6_forward counts beside Ip6InTooBigErrors
		r.kind = family(c.Name)
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
