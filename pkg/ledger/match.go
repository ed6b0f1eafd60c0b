// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Protocol numbers of IP.
const (
	icmp4 = 1
	tcp   = 6
	udp   = 17
	icmp6 = 58
)

// The tables of neighbors.
const (
	arpCache   = "arp_cache"
	ndiscCache = "ndisc_cache"
)

// claim says that drops at a place may move a counter of that spelling.
type claim struct {
	spelling string
	note     string // where that is so
	sure     bool   // each drop does, wherever it has the reason
}

// Notes of claims, as the catalogue of reasons has them.
const (
	vethPeer = "veth peer" // the counter of the other end of a veth pair, or of its namespace
	hookNote = "clsact"    // begins what is so for tc's hooks alone
)

// claimsOf returns what drops of a cell may move.
func claimsOf(cell *event.Cell) (claims []claim) {
	certain := dropreason.Lookup(cell.Reason.Name).Counters
	counters := dropreason.Of(cell).Counters
	for _, counter := range slices.Concat(counters, dropreason.CountedAt(cell.Reason.Name, cell.Location.Symbol)) {
		spelling, note, _ := strings.Cut(counter, " (")
		claims = append(claims, claim{spelling, strings.TrimSuffix(note, ")"), slices.Contains(certain, counter)})
	}
	return claims
}

// moves reports whether drops at a place may move a counter, and whether each does.
func (p *place) moves(c *event.Counter, r *rule) (may, sure bool) {
	spelling := r.spelling()
	for _, claim := range p.claims {
		onHook := strings.HasPrefix(claim.note, hookNote)
		if claim.spelling == spelling && onHook == (hook(c.Part) != "") && p.near(c, claim.note == vethPeer) {
			may, sure = true, sure || claim.sure
		}
	}
	return may && p.fits(c), sure
}

// near reports whether a counter is of the place's device or namespace, or of those at the
// other end of its veth pair.
func (p *place) near(c *event.Counter, peer bool) bool {
	switch c.Source {
	case event.CounterSoftnet, event.CounterNeighbour: // of the whole machine
		return true
	case event.CounterLink, event.CounterDriver, event.CounterQdisc:
		id := c.DeviceID()
		if peer {
			return id == p.peer
		}
		return id == p.index || id == p.name || id == p.gone
	}
	if peer {
		return c.Netns.Inode == p.peer.Netns
	}
	return c.Netns.Inode == p.netns
}

// fits reports whether drops at the place are of the protocol that a counter is of.
func (p *place) fits(c *event.Counter) bool {
	switch c.Source {
	case event.CounterNeighbour:
		return (c.Part == ndiscCache) == p.isIPv6()
	case event.CounterProtocol:
	default:
		return true
	}
	switch family(c.Name) {
	case "Ip":
		return !p.isIPv6()
	case "Ip6":
		return p.isIPv6()
	case "Icmp":
		return p.cell.Protocol == icmp4
	case "Icmp6":
		return p.cell.Protocol == icmp6
	case "Udp":
		return p.cell.Protocol == udp && !p.isIPv6()
	case "Udp6":
		return p.cell.Protocol == udp && p.isIPv6()
	}
	return p.cell.Protocol == tcp
}

func (p *place) isIPv6() bool {
	const family = 10 // AF_INET6
	return p.cell.Ethertype == event.EthertypeIPv6 || p.cell.Ethertype == 0 && p.cell.Family == family
}
