// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestSocketLosses fills the receive buffer of one UDP socket of two, and the queue of one
// listener of two: each that lost packets is found, with its queue, its buffer and this
// process, and none else.
func TestSocketLosses(t *testing.T) {
	labtest.NeedRoot(t)
	network, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	live(t, network.Rx)
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(network.Rx.Addr4, port) }
	full, quiet := udpAt(t, network.Rx, at(20200)), udpAt(t, network.Rx, at(20201))
	if err := full.SetReadBuffer(4608); err != nil {
		t.Fatal(err)
	}
	short, long := listenAt(t, network.Rx, at(20202), 1), listenAt(t, network.Rx, at(20203), 100)

	spaces := spacesOf(t, network.Rx.Netns)
	watch := WatchSockets(spaces)
	if lost := watch.Losses(spaces); len(lost) > 0 {
		t.Fatalf("got %+v where nothing was lost", lost)
	}
	const datagrams = 50
	for _, conn := range []*net.UDPConn{full, quiet} {
		to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
		sender := udpTo(t, network.Tx, to)
		count := datagrams
		if conn == quiet {
			count = 1
		}
		for range count {
			if _, err := sender.Write(make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, port := range []uint16{20202, 20203} {
		for range 8 {
			connectTo(t, network.Tx, at(port))
		}
	}
	lost := watch.Losses(spaces)
	self := Process{PID: os.Getpid(), Comm: commOf(os.Getpid())}
	find := func(port uint16) Socket {
		i := slices.IndexFunc(lost, func(s Socket) bool { return s.Local.Port() == port })
		if i < 0 {
			t.Fatalf("port %d is not in %+v", port, lost)
		}
		if diff := cmp.Diff([]Process{self}, lost[i].Holders); diff != "" {
			t.Errorf("port %d: -want +got\n%s", port, diff)
		}
		return lost[i]
	}
	if len(lost) != 2 {
		t.Errorf("got %+v, want two", lost)
	}
	if s := find(20200); s.Protocol != "udp" || s.Listens || s.Buffer != 2*4608 || s.Held == 0 || s.Lost == 0 || s.Lost >= datagrams || s.Local != at(20200) {
		t.Errorf("got %+v", s)
	}
	if s := find(20202); s.Protocol != "tcp" || !s.Listens || s.Backlog != 1 || s.Waiting != 2 || s.Lost < 6 || s.Local != at(20202) {
		t.Errorf("got %+v", s)
	}
	unix.Close(short)
	unix.Close(long)
	lost = watch.Losses(spaces)
	if s := find(20202); s.Lost < 6 {
		t.Errorf("got %+v of a socket that is closed", s)
	}
	if notes := watch.Notes(); len(notes) > 0 {
		t.Errorf("notes %q", notes)
	}
}

// TestSocketConnections shrinks the buffer of a connection whose peer sends on: it is
// found where connections are asked for.
func TestSocketConnections(t *testing.T) {
	labtest.NeedRoot(t)
	network, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	live(t, network.Rx)
	local := netip.AddrPortFrom(network.Rx.Addr4, 20204)
	listener := listenAt(t, network.Rx, local, 10)
	sender := connectTo(t, network.Tx, local)
	receiver, _, err := unix.Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(receiver); unix.Close(listener) })
	if err := unix.SetsockoptInt(receiver, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
		t.Fatal(err)
	}
	for { // until what the window allows is sent
		if _, err := unix.Write(sender, make([]byte, 1<<16)); err != nil {
			break
		}
	}
	spaces := spacesOf(t, network.Rx.Netns)
	watch := WatchSockets(spaces)
	var lost []Socket
	for deadline := time.Now().Add(10 * time.Second); len(lost) == 0 && time.Now().Before(deadline); { // segments may be under way
		lost = watch.Connections(spaces)
	}
	if len(lost) != 1 || lost[0].Local != local || lost[0].Listens || !lost[0].SinceOpen || lost[0].Buffer != 2304 {
		t.Errorf("got %+v", lost)
	}
}

// spacesOf returns the namespaces of these numbers.
func spacesOf(t *testing.T, inodes ...uint32) []Space {
	t.Helper()
	sources, err := LiveSources()
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(sources.Spaces, func(s Space) bool { return !slices.Contains(inodes, s.Netns.Inode) })
}

func udpAt(t *testing.T, h *lab.Host, local netip.AddrPort) *net.UDPConn {
	t.Helper()
	var conn *net.UDPConn
	if err := h.Do(func() (err error) {
		conn, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(local))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func udpTo(t *testing.T, h *lab.Host, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	var conn *net.UDPConn
	if err := h.Do(func() (err error) {
		conn, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// tcpIn opens a TCP socket in the namespace of a host.
func tcpIn(t *testing.T, h *lab.Host) (fd int) {
	t.Helper()
	if err := h.Do(func() (err error) {
		fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return fd
}

func listenAt(t *testing.T, h *lab.Host, local netip.AddrPort, backlog int) (fd int) {
	t.Helper()
	fd = tcpIn(t, h)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: local.Addr().As4(), Port: int(local.Port())}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		t.Fatal(err)
	}
	return fd
}

// connectTo starts to connect and does not wait for the answer.
func connectTo(t *testing.T, h *lab.Host, to netip.AddrPort) (fd int) {
	t.Helper()
	fd = tcpIn(t, h)
	t.Cleanup(func() { unix.Close(fd) })
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	err := unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	if err != nil && !errors.Is(err, unix.EINPROGRESS) {
		t.Fatal(err)
	}
	return fd
}

// diagMessage is an answer of inet_diag about a listening socket, as
// inet_diag_msg_common_fill and sock_diag_put_meminfo write it.
func diagMessage() []byte {
	message := make([]byte, sizeofDiagMessage)
	message[0], message[1] = unix.AF_INET6, stateListen
	binary.BigEndian.PutUint16(message[4:], 8080)
	binary.NativeEndian.PutUint32(message[44:], 7)
	binary.NativeEndian.PutUint32(message[56:], 2)
	binary.NativeEndian.PutUint32(message[60:], 1)
	binary.NativeEndian.PutUint32(message[68:], 4711)
	memory := make([]byte, 4+4*9)
	binary.NativeEndian.PutUint16(memory, uint16(len(memory)))
	binary.NativeEndian.PutUint16(memory[2:], diagMemory)
	for i := range 9 {
		binary.NativeEndian.PutUint32(memory[4+4*i:], uint32(100+i))
	}
	return append(message, memory...)
}

func TestParseSocket(t *testing.T) {
	got, err := parseSocket(diagMessage())
	if err != nil {
		t.Fatal(err)
	}
	want := Socket{
		Listens: true, Local: netip.MustParseAddrPort("[::]:8080"), Peer: netip.MustParseAddrPort("[::]:0"),
		Cookie: 7, Inode: 4711, Waiting: 2, Backlog: 1, Held: 100, Buffer: 101, Drops: 108,
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// FuzzSocket: an error comes with no socket.
func FuzzSocket(f *testing.F) {
	f.Add(diagMessage())
	f.Add([]byte(strings.Repeat("\x02", sizeofDiagMessage)))
	f.Fuzz(func(t *testing.T, message []byte) {
		if s, err := parseSocket(message); err != nil && !cmp.Equal(s, Socket{}, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })) {
			t.Errorf("got %+v with %v", s, err)
		}
	})
}
