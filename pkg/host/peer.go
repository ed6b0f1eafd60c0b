// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import "github.com/dropwatch/dropwatch/pkg/event"

// veth is an end of a pair, by its own index and that of its peer.
type veth struct{ index, peer int32 }

// Links returns the interfaces that were there at the last Read. The peer of a veth is the
// one that names it as its own; where several do, in namespaces that number alike, it is
// not known.
func (r *CounterReader) Links() (links []event.Link) {
	ends := map[veth][]event.Link{}
	for _, s := range r.spaces {
		for _, d := range s.devices.listed {
			link := event.Link{Name: d.text, Index: int(d.index), Netns: s.netns, Kind: d.kind, NativeXDP: d.nativeXDP}
			links = append(links, link)
			if d.kind == "veth" {
				ends[veth{d.index, d.lower}] = append(ends[veth{d.index, d.lower}], link)
			}
		}
	}
	i := 0
	for _, s := range r.spaces {
		for _, d := range s.devices.listed {
			if peers := ends[veth{d.lower, d.index}]; d.kind == "veth" && len(peers) == 1 && (peers[0].Name != d.text || peers[0].Netns != s.netns) {
				links[i].Peer, links[i].PeerIndex, links[i].PeerNetns = peers[0].Name, peers[0].Index, peers[0].Netns
			}
			i++
		}
	}
	return links
}
