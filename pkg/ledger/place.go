// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"cmp"
	"maps"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// place is where the drops of a cell died, as counters know it.
type place struct {
	cell   *event.Cell
	bounds // of the drops that counters have counted
	claims []claim
	benign bool           // of dropreason.ClassBenign
	index  event.DeviceID // of the device, by index; zero if it has none
	name   event.DeviceID // by name, for recordings that know no other; zero if it has none
	peer   event.DeviceID // the other end, if the device is of a veth pair and that is known
	gone   event.DeviceID // goneDevice, if no counter of the device is kept apart
	netns  uint32         // of the cell; 0, which stands for those that are gone, if no counter of it is kept apart
	number int            // of the cell
}

// likeness is what cells with the same claims have in common.
type likeness struct {
	reason   event.Reason
	function string
}

// places are those of all cells, by what counters are of.
type places struct {
	all       []*place // in the order of cells
	ofDevice  map[event.DeviceID][]*place
	ofEnd     map[event.DeviceID][]*place // by the other end of a veth pair
	ofNetns   map[uint32][]*place
	ofPeer    map[uint32][]*place // by the namespace at the other end of a veth pair, if that is another
	peers     map[event.DeviceID]event.DeviceID
	spellings map[string]bool // of what their drops may move
}

// places returns where drops died that counters have counted. The cells of a device share
// its name: one whose samples were lost has none of its own.
func (b *Book) places() places {
	names := map[event.DeviceID]string{}
	for cell := range b.cells {
		if id := cell.DeviceID(); id.Index != 0 && cell.Device.Name != "" {
			names[id] = cell.Device.Name
		}
	}
	all := places{
		ofDevice: map[event.DeviceID][]*place{}, ofEnd: map[event.DeviceID][]*place{},
		ofNetns: map[uint32][]*place{}, ofPeer: map[uint32][]*place{},
		peers: b.peers(), spellings: map[string]bool{},
	}
	netns, devices := b.apart(maps.Keys(b.cells))
	claims := map[likeness][]claim{}
	for cell, t := range b.cells {
		counted := b.counted(t)
		if cell.Overflow || counted.most == 0 {
			continue
		}
		p := &place{cell: cell, bounds: counted, benign: dropreason.Of(cell).Class == dropreason.ClassBenign, index: cell.DeviceID(), number: t.number}
		name := cell.Device.Name
		if name == "" {
			name = names[p.index]
		}
		p.name = event.NewDeviceID(cell.Netns, 0, name)
		if p.index != (event.DeviceID{}) && !devices[p.index] && !devices[p.name] {
			p.gone = goneDevice
		}
		if netns[cell.Netns.Inode] {
			p.netns = cell.Netns.Inode
		}
		var known bool
		if p.peer, known = all.peers[p.index]; !known {
			p.peer = all.peers[p.name]
		}
		key := likeness{cell.Reason, cell.Location.Symbol}
		if p.claims, known = claims[key]; !known {
			p.claims = claimsOf(cell)
			claims[key] = p.claims
			for _, c := range p.claims {
				all.spellings[c.spelling] = true
			}
		}
		all.all = append(all.all, p)
	}
	slices.SortFunc(all.all, func(a, b *place) int {
		return cmp.Or(a.cell.ID-b.cell.ID, a.number-b.number)
	})
	for _, p := range all.all {
		all.ofNetns[p.netns] = append(all.ofNetns[p.netns], p)
		all.ofDevice[p.index] = append(all.ofDevice[p.index], p)
		if p.gone != (event.DeviceID{}) {
			all.ofDevice[p.gone] = append(all.ofDevice[p.gone], p)
		}
		if p.name != p.index && p.name != p.gone {
			all.ofDevice[p.name] = append(all.ofDevice[p.name], p)
		}
		if p.peer != (event.DeviceID{}) {
			all.ofEnd[p.peer] = append(all.ofEnd[p.peer], p)
		}
		if peer := p.peer.Netns; peer != 0 && peer != p.cell.Netns.Inode {
			all.ofPeer[peer] = append(all.ofPeer[peer], p)
		}
	}
	return all
}

// peers returns the other ends of veth pairs, of both ends where one is known.
func (b *Book) peers() map[event.DeviceID]event.DeviceID {
	peers := map[event.DeviceID]event.DeviceID{}
	for id, link := range b.links {
		if peer := link.PeerID(); link.Kind == "veth" && peer != (event.DeviceID{}) {
			peers[id], peers[peer] = peer, id
		}
	}
	return peers
}

// of returns the places whose drops could move a counter, going by where it is.
func (a *places) of(c *event.Counter) [2][]*place {
	switch c.Source {
	case event.CounterSoftnet, event.CounterNeighbour:
		return [2][]*place{a.all}
	case event.CounterLink, event.CounterDriver, event.CounterQdisc:
		id := c.DeviceID()
		return [2][]*place{a.ofDevice[id], a.ofEnd[id]}
	}
	return [2][]*place{a.ofNetns[c.Netns.Inode], a.ofPeer[c.Netns.Inode]}
}
