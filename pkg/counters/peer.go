// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// veth is one end of a pair, by its own index and its peer's.
type veth struct{ index, peer int32 }

// Links returns the interfaces of the last Read. The peer of a veth is the veth whose peer index
// is the first one's index, and the reverse. The peer is unknown if several veths match, which
// happens in namespaces with equal indexes.
func (r *Reader) Links() (links []event.Link) {
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
			self := links[i]
			others := slices.DeleteFunc(slices.Clone(ends[veth{d.lower, d.index}]), func(l event.Link) bool { return l.ID() == self.ID() })
			if d.kind == "veth" && len(others) == 1 {
				links[i].Peer, links[i].PeerIndex, links[i].PeerNetns = others[0].Name, others[0].Index, others[0].Netns
			}
			i++
		}
	}
	return links
}
