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

// SocketWatch finds the sockets that lose packets: of UDP, and those that listen for TCP.
type SocketWatch struct {
	drops map[socketID]uint32 // when it began
	lost  map[socketID]Socket // as they were seen last
	notes notes
}

// socketID tells sockets apart. Before kernel 5.9 each namespace counted its cookies
// (sock_gen_cookie, net/core/sock_diag.c).
type socketID struct {
	netns  uint32
	cookie uint64
}

// WatchSockets begins. What cannot be read is left out and noted.
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

// Watch looks at the sockets now and then until it is told to stop: at most once a second,
// and for a twentieth of the time. A socket that lost packets and is closed is known from
// the last look.
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

// Losses returns the sockets that lost packets since the watch began, most first, with the
// processes that hold them.
func (w *SocketWatch) Losses(spaces []Space) []Socket {
	w.look(spaces)
	lost := slices.Collect(maps.Values(w.lost))
	slices.SortFunc(lost, func(a, b Socket) int {
		return cmp.Or(cmp.Compare(b.Lost, a.Lost), cmp.Compare(a.Cookie, b.Cookie))
	})
	return lost
}

// look adds what sockets lost. Processes are looked for once for each socket.
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

// Connections returns the connections of TCP that a program has open and that lost packets
// since they were opened, most first. There may be too many of them to be watched from the
// start. Their holders are for Hold to find.
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

// Notes returns what could not be read, and why.
func (w *SocketWatch) Notes() []string { return w.notes.all }

// socketKind is what one request lists.
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

// list hands on each socket of a kind in a namespace.
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
		// An interrupted list is what there was meanwhile.
		if errors.Is(err, netlink.ErrDumpInterrupted) {
			err = nil
		}
		return errors.Join(err, bad)
	})
	// The kernel answers ENOENT where it has no such protocol (inet_diag_lock_handler,
	// net/ipv4/inet_diag.c); UDP-Lite is gone from 7.1.
	if errors.Is(err, unix.ENOENT) && kind.protocol == unix.IPPROTO_UDPLITE {
		return
	}
	if err != nil {
		w.notes.add("sockets of %s in namespace %s: %v", kind.name, space.Netns, err)
	}
}

// Hold fills in which processes have sockets open. A socket's file is a link to
// "socket:[INODE]" below /proc/PID/fd. It looks at each file of each process, unless there
// is no socket.
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
		w.notes.add("programs that have sockets open: %v", err)
	}
	for i, some := range holders {
		sockets[i].Holders = some
	}
}
