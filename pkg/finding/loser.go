// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/node"
)

// loser is a program that lost packets because a limit of its sockets was reached: the
// socket that lost most, and how many others of the program lost some by the same limit.
type loser struct {
	node.Socket
	lost   uint64 // by all of them
	others int
}

// losers returns the programs whose sockets of a namespace lost packets, most first. A
// limit is the backlog of those that listen, and the receive buffer of all others.
func (n *nodeInput) losers(ns node.Namespace, pick func(node.Socket) bool) []loser {
	type cause struct {
		comm  string
		limit uint32
	}
	var all []loser
	at := map[cause]int{}
	for _, s := range n.Sockets {
		if s.Netns.Inode != ns.Netns.Inode || !pick(s) {
			continue
		}
		c := cause{limit: cmp.Or(s.Backlog, s.Buffer)}
		if len(s.Holders) > 0 {
			c.comm = s.Holders[0].Comm
		}
		i, ok := at[c]
		if !ok {
			i = len(all)
			at[c] = i
			all = append(all, loser{Socket: s})
		} else {
			all[i].others++
			if s.Lost > all[i].Lost {
				all[i].Socket = s
			}
		}
		all[i].lost += s.Lost
	}
	slices.SortStableFunc(all, func(a, b loser) int { return cmp.Compare(b.lost, a.lost) })
	return all
}

// program names who has the socket open.
func (l loser) program() string {
	if len(l.Holders) == 0 {
		return "a program that was not found"
	}
	name := fmt.Sprintf("%s (pid %d)", l.Holders[0].Comm, l.Holders[0].PID)
	if more := len(l.Holders) - 1; more > 0 {
		name = fmt.Sprintf("%s (pid %d and %d more)", l.Holders[0].Comm, l.Holders[0].PID, more)
	}
	return name
}

// facts are what was seen of the socket.
func (l loser) facts() []Fact {
	facts := []Fact{{"socket", l.Protocol + " " + l.Local.String()}, {"program", l.program()}}
	if l.Peer.Port() != 0 {
		facts[0].Value = l.Protocol + " " + l.Local.String() + " to " + l.Peer.String()
	}
	if l.others > 0 {
		facts = append(facts, Fact{"sockets_more", uint64(l.others)})
	}
	lost := "lost"
	if l.SinceOpen {
		lost = "lost_since_open"
	}
	facts = append(facts, Fact{lost, l.lost})
	if l.Listens {
		return append(facts, Fact{"backlog", uint64(l.Backlog)}, Fact{"waiting", uint64(l.Waiting)})
	}
	return append(facts, Fact{"buffer_bytes", uint64(l.Buffer)}, Fact{"held_bytes", uint64(l.Held)})
}

// foundAt makes a finding of what a program lost.
func (n *nodeInput) foundAt(ns node.Namespace, id string, l loser, facts []Fact) Finding {
	return Finding{ID: id, Severity: n.losing(l.lost), Netns: ns.Netns, Evidence: slices.Concat(l.facts(), facts)}
}

// restOf is what a counter moved by beyond what programs lost; 0 if that is less than a
// fifth, as counters and sockets are not read at the same moment.
func restOf(moved uint64, all []loser) uint64 {
	rest := moved
	for _, l := range all {
		rest -= min(rest, l.lost)
	}
	if len(all) > 0 && 5*rest < moved {
		return 0
	}
	return rest
}

// restart is what has to follow a change that open sockets do not see.
func (l loser) restart(why string) string {
	return fmt.Sprintf("# then restart %s: %s", l.program(), why)
}
