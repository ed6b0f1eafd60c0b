// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// liveLinks reads the interfaces of a namespace from the kernel.
type liveLinks struct {
	path  string
	known *[]Space // where peers may be
}

// Links implements LinkReader.
func (l *liveLinks) Links() (links []Link, err error) {
	home, err := netns.Get()
	if err != nil {
		return nil, fmt.Errorf("open own network namespace: %w", err)
	}
	defer home.Close()
	err = within{l.path}.do(func() error {
		handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
		if err != nil {
			return fmt.Errorf("open rtnetlink: %w", err)
		}
		defer handle.Close()
		links, err = l.list(handle, home)
		return err
	})
	return links, err
}

func (l *liveLinks) list(handle *netlink.Handle, home netns.NsHandle) ([]Link, error) {
	// The list of an interrupted dump is still useful.
	list, err := handle.LinkList()
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	qdiscs, err := handle.QdiscList(nil)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil, fmt.Errorf("list qdiscs: %w", err)
	}
	names := map[int]string{}
	for _, link := range list {
		names[link.Attrs().Index] = link.Attrs().Name
	}
	peers := l.namespaceIDs(handle, home, list)
	var links []Link
	for _, found := range list {
		link := describe(found, names)
		if link.Kind == "veth" {
			link.Peer = &Peer{Netns: peers[found.Attrs().NetNsID], Index: found.Attrs().ParentIndex}
		}
		for _, qdisc := range qdiscs {
			if qdisc.Attrs().LinkIndex == link.Index {
				link.Qdiscs = append(link.Qdiscs, describeQdisc(qdisc))
			}
		}
		links = append(links, link)
	}
	return links, nil
}

func describe(found netlink.Link, names map[int]string) Link {
	attrs := found.Attrs()
	link := Link{
		Name: attrs.Name, Index: attrs.Index, MTU: attrs.MTU, TxQueueLen: max(0, attrs.TxQLen),
		Master:  names[attrs.MasterIndex],
		Enabled: attrs.RawFlags&unix.IFF_UP != 0, Carrier: attrs.RawFlags&unix.IFF_LOWER_UP != 0,
		Up: attrs.RawFlags&unix.IFF_UP != 0 && attrs.OperState != netlink.OperDown && attrs.OperState != netlink.OperLowerLayerDown,
	}
	// The library's Type is "device" for a link without IFLA_INFO_KIND.
	if kind := found.Type(); kind != "device" && attrs.RawFlags&unix.IFF_LOOPBACK == 0 {
		link.Kind = kind
	}
	if attrs.RawFlags&unix.IFF_LOOPBACK != 0 {
		link.Kind = "loopback"
	}
	if link.Kind != "veth" && attrs.NetNsID < 0 && attrs.ParentIndex != attrs.Index {
		link.Lower = names[attrs.ParentIndex]
	}
	if tunnel, ok := found.(*netlink.Vxlan); ok {
		link.Lower = names[tunnel.VtepDevIndex]
	}
	if attrs.Statistics != nil {
		link.RxPackets = attrs.Statistics.RxPackets
	}
	return link
}

// namespaceIDs maps the IDs that this namespace assigned to other namespaces (RTM_GETNSID) to
// the namespaces. -1 is this namespace.
func (l *liveLinks) namespaceIDs(handle *netlink.Handle, home netns.NsHandle, list []netlink.Link) map[int]event.Netns {
	ids := map[int]event.Netns{}
	for _, space := range *l.known {
		if space.Path == l.path {
			ids[-1] = space.Netns
		}
	}
	foreign := false
	for _, link := range list {
		foreign = foreign || link.Attrs().NetNsID >= 0
	}
	if !foreign {
		return ids
	}
	for _, space := range *l.known {
		if id, err := namespaceID(handle, home, space.Path); err == nil && id >= 0 {
			ids[id] = space.Netns
		}
	}
	return ids
}

func namespaceID(handle *netlink.Handle, home netns.NsHandle, path string) (int, error) {
	if path == "" {
		return handle.GetNetNsIdByFd(int(home))
	}
	ns, err := netns.GetFromPath(path)
	if err != nil {
		return 0, err
	}
	defer ns.Close()
	return handle.GetNetNsIdByFd(int(ns))
}
