// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// namespace returns the one that a counter is of. One that was not read has nothing but
// its name.
func (n *nodeInput) namespace(ns event.Netns) node.Namespace {
	for _, known := range n.State.Namespaces {
		if known.Netns.Inode == ns.Inode {
			return known
		}
	}
	return node.Namespace{Netns: ns}
}

// own is the namespace of the node itself, whose settings are the machine's.
func (n *nodeInput) own() node.Namespace {
	if len(n.State.Namespaces) == 0 {
		return node.Namespace{}
	}
	return n.State.Namespaces[0]
}

// title names a device with what it belongs to.
func title(link node.Link) string {
	switch {
	case link.Peer != nil && link.Peer.Name != "":
		return fmt.Sprintf("%s (peer %s in namespace %s)", link.Name, link.Peer.Name, link.Peer.Netns)
	case link.Master != "":
		return fmt.Sprintf("%s (below %s)", link.Name, link.Master)
	}
	return link.Name
}

// hardware returns the devices of a namespace that are no software. Loopback and
// devices with a kind are.
func hardware(ns node.Namespace) []node.Link {
	var links []node.Link
	for _, link := range ns.Links {
		if link.Kind == "" {
			links = append(links, link)
		}
	}
	return links
}

// sumsUp tells whether a device's own counters are those of the devices below it.
func sumsUp(link node.Link) bool {
	return link.Kind == "bond" || link.Kind == "team"
}
