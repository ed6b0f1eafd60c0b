// SPDX-License-Identifier: Apache-2.0

package ledger

import (
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

// moves reports whether a drop of a cell is one that may move a counter.
func (b *Book) moves(cell *event.Cell, c event.Counter, r rule) bool {
	switch c.Source {
	case event.CounterSoftnet:
		return listed(cell, r.spelling(), c.Part)
	case event.CounterNeighbour: // of all namespaces
		return listed(cell, r.spelling(), c.Part) && (c.Part == "ndisc_cache") == isIPv6(cell)
	case event.CounterLink:
		return b.movesLink(cell, c, r)
	}
	if cell.Netns.Inode != c.Netns.Inode || !listed(cell, r.spelling(), c.Part) {
		return false
	}
	switch c.Source {
	case event.CounterQdisc:
		return cell.Device.Name == c.Device
	case event.CounterProtocol:
		return fits(cell, c.Name)
	}
	return true
}

// movesLink does for the counters of an interface. What a veth sends dies on its peer,
// and veth_xmit counts it as not sent (drivers/net/veth.c).
func (b *Book) movesLink(cell *event.Cell, c event.Counter, r rule) bool {
	at := device{cell.Netns.Inode, cell.Device.Name}
	if at == (device{c.Netns.Inode, c.Device}) {
		return listed(cell, r.spelling(), c.Part)
	}
	if c.Name != "tx_dropped" {
		return false
	}
	link := b.links[device{c.Netns.Inode, c.Device}]
	return link.Kind == "veth" && link.Peer != "" && at == (device{link.PeerNetns.Inode, link.Peer}) &&
		listed(cell, "ip -s link: RX dropped", "")
}

// listed reports whether the reason is known, where the packets were freed, to move a counter of that spelling. A note
// behind it may say that it is so for some qdiscs alone.
func listed(cell *event.Cell, spelling, part string) bool {
	for _, counter := range dropreason.At(cell.Reason.Name, cell.Place()).Counters {
		name, note, _ := strings.Cut(counter, " (")
		if name != spelling {
			continue
		}
		if onHook := strings.HasPrefix(note, "clsact"); onHook == (hook(part) != "") {
			return true
		}
	}
	return false
}

// fits reports whether a drop is of the protocol whose counter has that name.
func fits(cell *event.Cell, counter string) bool {
	six := isIPv6(cell)
	switch {
	case counter == "TcpExtIPReversePathFilter", strings.HasPrefix(counter, "IpExt"):
		return !six
	case strings.HasPrefix(counter, "Ip6"):
		return six
	case strings.HasPrefix(counter, "Ip"):
		return !six
	case strings.HasPrefix(counter, "Icmp6"):
		return cell.Protocol == icmp6
	case strings.HasPrefix(counter, "Icmp"):
		return cell.Protocol == icmp4
	case strings.HasPrefix(counter, "Udp6"):
		return cell.Protocol == udp && six
	case strings.HasPrefix(counter, "Udp"):
		return cell.Protocol == udp && !six
	}
	return cell.Protocol == tcp
}

func isIPv6(cell *event.Cell) bool {
	const family = 10 // AF_INET6
	return cell.Ethertype == event.EthertypeIPv6 || cell.Ethertype == 0 && cell.Family == family
}
