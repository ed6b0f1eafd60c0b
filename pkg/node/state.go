// SPDX-License-Identifier: Apache-2.0

package node

import (
	"io/fs"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// State is the settings of a node and the fill levels of its tables at one moment. Notes lists
// what could not be read.
type State struct {
	CPUs        []int       // online, ascending
	Sysctls     Sysctls     // of the whole machine
	Namespaces  []Namespace // the reader's own first
	Neighbours  []NeighbourTable
	SocketPages SocketPages
	Cgroups     Cgroups
	Kubelet     bool // the node belongs to Kubernetes
	Notes       []string
}

// Namespace is a network namespace.
type Namespace struct {
	Netns   event.Netns
	Path    string  // of the nsfs file, for nsenter --net; empty for the reader's own
	Sysctls Sysctls // of the namespace
	Links   []Link

	Fragments FragmentMemory
}

// Sources is where ReadState reads a State.
type Sources struct {
	Root   fs.FS // of the machine: os.DirFS("/"), or a fixture
	Spaces []Space
	Notes  []string // about namespaces that could not be opened
}

// Space is a network namespace to read.
type Space struct {
	Netns  event.Netns
	Path   string // empty for the reader's own, whose devices /sys of Sources.Root shows
	Files  fs.FS  // the files as a thread in the namespace sees them
	Reader LinkReader
}

// LinkReader reads the interfaces of a namespace. Names are not escaped.
type LinkReader interface {
	// Links returns the interfaces that rtnetlink reports, with their qdiscs.
	Links() ([]Link, error)
	// Device returns a driver's answers to ethtool.
	Device(name string) (Device, error)
}

// ReadState reads everything once. It changes nothing.
func ReadState(s Sources) State {
	root := Root{s.Root}
	notes := &notes{all: s.Notes}
	state := State{
		CPUs:        root.cpus(),
		Sysctls:     root.sysctls(machineSysctls()),
		Neighbours:  root.Neighbours(),
		SocketPages: root.socketPages(),
		Cgroups:     root.cgroups(),
		Kubelet:     root.exists("/var/lib/kubelet") || root.exists("/etc/kubernetes"),
	}
	for _, space := range s.Spaces {
		state.Namespaces = append(state.Namespaces, root.namespace(space, notes))
	}
	if len(state.Sysctls) == 0 {
		notes.add("settings in /proc/sys/net: none is readable")
	}
	resolvePeers(state.Namespaces)
	state.Notes = notes.all
	return state
}

// namespace reads one namespace; r reads the files of the machine.
func (r Root) namespace(space Space, notes *notes) Namespace {
	ns := Namespace{
		Netns: space.Netns, Path: space.Path, Sysctls: Root{space.Files}.sysctls(namespaceSysctls()),
		Fragments: Root{space.Files}.fragments(),
	}
	links, err := space.Reader.Links()
	if err != nil {
		notes.add("interfaces of namespace %s: %v", space.Netns, err)
	}
	for _, link := range links {
		raw := link.Name
		inside := Root{space.Files}
		link.RPFilter = inside.sysctlOf("ipv4/conf", raw, "rp_filter")
		link.Unresolved = Unresolved{inside.sysctlOf("ipv4/neigh", raw, "unres_qlen_bytes"), inside.sysctlOf("ipv6/neigh", raw, "unres_qlen_bytes")}
		link.Threaded = -1
		if space.Path == "" {
			r.steering(raw, &link)
		}
		if link.Kind == "" {
			device, err := space.Reader.Device(raw)
			if err != nil {
				notes.add("ethtool of %s: %v", event.Text([]byte(raw)), err)
			}
			link.Device = device
		}
		link.escape()
		ns.Links = append(ns.Links, link)
	}
	return ns
}

// resolvePeers sets the names of the peers of veths.
func resolvePeers(all []Namespace) {
	type key struct {
		inode uint32
		index int
	}
	names := map[key]string{}
	for _, ns := range all {
		for _, link := range ns.Links {
			names[key{ns.Netns.Inode, link.Index}] = link.Name
		}
	}
	for _, ns := range all {
		for i := range ns.Links {
			if peer := ns.Links[i].Peer; peer != nil && peer.Name == "" && peer.Netns.Inode != 0 {
				peer.Name = names[key{peer.Netns.Inode, peer.Index}]
			}
		}
	}
}
