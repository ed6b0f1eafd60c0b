// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// SocketWatch finds UDP sockets and listening TCP sockets that lose packets.
type SocketWatch struct {
	drops map[socketID]uint32 // at the start of the watch
	lost  map[socketID]Socket // as last read
	notes notes
}

// socketID identifies a socket. Before kernel 5.9 cookies are unique only within a namespace
// (sock_gen_cookie, net/core/sock_diag.c).
type socketID struct {
	netns  uint32
	cookie uint64
}

// WatchSockets starts a watch: it records the drops of all sockets. It adds a note for each
// kind of socket that it cannot list.
func WatchSockets(spaces []Space) *SocketWatch {
	w := &SocketWatch{drops: map[socketID]uint32{}, lost: map[socketID]Socket{}}
	for _, space := range spaces {
		for _, kind := range socketKinds {
			w.list(space, kind, func(s Socket) {
				w.drops[socketID{space.Netns.Inode, s.Cookie}] = s.Drops
			})
		}
	}
	return w
}

// Watch lists the sockets repeatedly until stop is closed, at most once a second and for at
// most 5 % of the time. Losses reports a socket that is closed since as it was last listed.
func (w *SocketWatch) Watch(spaces []Space, stop <-chan struct{}) {
	const share = 20
	for pause := time.Second; ; {
		select {
		case <-stop:
			return
		case <-time.After(pause):
		}
		began := time.Now()
		w.look(spaces)
		pause = max(time.Second, share*time.Since(began))
	}
}

// Losses returns the sockets that lost packets since the start of the watch, sorted by losses
// in descending order, with the processes that hold them.
func (w *SocketWatch) Losses(spaces []Space) []Socket {
	w.look(spaces)
	lost := slices.Collect(maps.Values(w.lost))
	slices.SortFunc(lost, func(a, b Socket) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Cookie, b.Cookie))
	})
	return lost
}

// look updates the losses of all sockets. It searches for the holders of each socket once.
func (w *SocketWatch) look(spaces []Space) {
	var news []Socket
	for _, s := range w.losses(spaces, socketKinds, false) {
		id := socketID{s.Netns.Inode, s.Cookie}
		if known, ok := w.lost[id]; ok {
			s.Holders = known.Holders
			w.lost[id] = s
		} else {
			news = append(news, s)
		}
	}
	w.Hold(news)
	for _, s := range news {
		w.lost[socketID{s.Netns.Inode, s.Cookie}] = s
	}
}

// Connections returns the open TCP connections that lost packets since they were opened,
// sorted by losses in descending order. It leaves out connections without a file. A node may
// have too many connections to record the drops of all at the start. Hold finds their holders.
func (w *SocketWatch) Connections(spaces []Space) []Socket {
	return w.losses(spaces, connectionKinds, true)
}

func (w *SocketWatch) losses(spaces []Space, kinds []socketKind, sinceOpen bool) []Socket {
	var lost []Socket
	for _, space := range spaces {
		for _, kind := range kinds {
			w.list(space, kind, func(s Socket) {
				s.Lost, s.SinceOpen = uint64(s.Drops-w.drops[socketID{space.Netns.Inode, s.Cookie}]), sinceOpen
				if s.Lost > 0 && (s.Inode != 0 || !sinceOpen) {
					lost = append(lost, s)
				}
			})
		}
	}
	slices.SortStableFunc(lost, func(a, b Socket) int { return cmp.Compare(b.Lost, a.Lost) })
	return lost
}

// Notes says which sockets could not be read, and why.
func (w *SocketWatch) Notes() []string { return w.notes.all }

// socketKind is the sockets that one request lists.
type socketKind struct {
	family, protocol uint8
	name             string // of the protocol
	states           uint32
}

var socketKinds = []socketKind{
	{unix.AF_INET, unix.IPPROTO_UDP, "udp", stateAll},
	{unix.AF_INET6, unix.IPPROTO_UDP, "udp", stateAll},
	{unix.AF_INET, unix.IPPROTO_UDPLITE, "udplite", stateAll},
	{unix.AF_INET6, unix.IPPROTO_UDPLITE, "udplite", stateAll},
	{unix.AF_INET, unix.IPPROTO_TCP, "tcp", 1 << stateListen},
	{unix.AF_INET6, unix.IPPROTO_TCP, "tcp", 1 << stateListen},
}

var connectionKinds = []socketKind{
	{unix.AF_INET, unix.IPPROTO_TCP, "tcp", stateAll &^ (1 << stateListen)},
	{unix.AF_INET6, unix.IPPROTO_TCP, "tcp", stateAll &^ (1 << stateListen)},
}

// list calls each with every socket of a kind in a namespace.
func (w *SocketWatch) list(space Space, kind socketKind, each func(Socket)) {
	err := within{space.Path}.do(func() error {
		request := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, unix.NLM_F_DUMP)
		request.AddRawData(diagRequest(kind.family, kind.protocol, kind.states))
		var bad error
		err := request.ExecuteIter(unix.NETLINK_INET_DIAG, nl.SOCK_DIAG_BY_FAMILY, func(message []byte) bool {
			s, err := parseSocket(message)
			if err != nil {
				bad = err
				return false
			}
			s.Netns, s.Protocol = space.Netns, kind.name
			each(s)
			return true
		})
		// The list of an interrupted dump is still useful.
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			err = nil
		}
		return errors.Join(err, bad)
	})
	// The kernel answers ENOENT for a protocol without a handler (inet_diag_lock_handler,
	// net/ipv4/inet_diag.c). Kernel 7.1 has no UDP-Lite.
	if errors.Is(err, unix.ENOENT) && kind.protocol == unix.IPPROTO_UDPLITE {
		return
	}
	if err != nil {
		w.notes.add("sockets of %s in namespace %s: %v", kind.name, space.Netns, err)
	}
}

// Hold sets the holders of sockets. The file of a socket is a link to "socket:[INODE]" in
// /proc/PID/fd, so Hold reads the link of every open file of every process.
func (w *SocketWatch) Hold(sockets []Socket) {
	if len(sockets) == 0 {
		return
	}
	of := map[string][]int{}
	for i, s := range sockets {
		if s.Inode != 0 {
			link := fmt.Sprintf("socket:[%d]", s.Inode)
			of[link] = append(of[link], i)
		}
	}
	holders, err := findHolders(of)
	if err != nil {
		w.notes.add("processes that have sockets open: %v", err)
	}
	for i, some := range holders {
		sockets[i].Holders = some
	}
}
