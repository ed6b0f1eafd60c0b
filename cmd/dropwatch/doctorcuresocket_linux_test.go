// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
)

const curePort = 20300

// socketCures are queues and buffers of sockets that are full.
func socketCures() []cure {
	return []cure{
		{"udp-receive-buffer", "the program set it", udpBuffer(4608, 1<<20, 100, "4,608 bytes", "the program set SO_RCVBUF")},
		{"udp-receive-buffer", "the node's default", udpBuffer(0, 0, 300, "212,992 bytes", "the node's default")},
		{"udp-receive-buffer", "as much as any may ask for", udpBufferMax},
		{"udp-memory", "", udpOverMemory},
		{"tcp-receive-buffer", "the program set it", tcpBuffer},
		{"accept-queue", "the program set it", acceptQueue(1, 100, "backlog of 1.", "raising it changes nothing")},
		{"accept-queue", "as much as any may ask for", acceptQueueMax},
		{"syn-queue", "without cookies", synQueue},
	}
}

// me is this program as a finding names it.
func me() string { return fmt.Sprintf("(pid %d)", os.Getpid()) }

// socket opens a socket in the namespace of a host, with an address unless it is zero.
func socket(t *testing.T, h *lab.Host, kind int, local netip.AddrPort) (fd int) {
	t.Helper()
	family := unix.AF_INET
	if local.Addr().Is6() {
		family = unix.AF_INET6
	}
	if err := h.Do(func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if !local.IsValid() {
		return fd
	}
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := errors.Join(err, unix.Bind(fd, address(local))); err != nil {
		t.Fatal(err)
	}
	return fd
}

func address(of netip.AddrPort) unix.Sockaddr {
	if of.Addr().Is6() {
		return &unix.SockaddrInet6{Addr: of.Addr().As16(), Port: int(of.Port())}
	}
	return &unix.SockaddrInet4{Addr: of.Addr().As4(), Port: int(of.Port())}
}

// reopened is a socket that is closed and opened anew, and closed with the test.
func reopened(t *testing.T, open func() int) (fd *int, reopen func()) {
	fd = new(int)
	*fd = open()
	t.Cleanup(func() { unix.Close(*fd) })
	return fd, func() {
		unix.Close(*fd)
		*fd = open()
	}
}

// drain reads what a socket holds, until nothing comes for a while, and returns how many
// datagrams that were.
func drain(fd int) (datagrams int) {
	buffer := make([]byte, 2048)
	for {
		if _, _, err := unix.Recvfrom(fd, buffer, unix.MSG_DONTWAIT); err == nil {
			datagrams++
			continue
		}
		ready, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20)
		if ready == 0 && err == nil {
			return datagrams
		}
	}
}

// burst sends datagrams to a socket that is read only afterwards, and returns how many
// did not arrive.
func burst(t *testing.T, from *lab.Host, to netip.AddrPort, reader *int, datagrams int) func() int {
	sender := socket(t, from, unix.SOCK_DGRAM, netip.AddrPort{})
	t.Cleanup(func() { unix.Close(sender) })
	payload := make([]byte, 1400)
	return func() int {
		drain(*reader)
		for range datagrams {
			if err := unix.Sendto(sender, payload, 0, address(to)); err != nil {
				t.Error(err)
			}
		}
		return datagrams - drain(*reader)
	}
}

// udpBuffer has a reader whose buffer is too small for a burst; it heeds advice by asking
// for more, or by starting anew.
func udpBuffer(asks, asksThen, datagrams int, want ...string) func(*testing.T) (*lab.Net, ailment) {
	return func(t *testing.T) (*lab.Net, ailment) {
		global(t, "core/rmem_default", "212992")
		network := newNetwork(t)
		to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
		reader, reopen := reopened(t, func() int {
			fd := socket(t, network.Rx, unix.SOCK_DGRAM, to)
			if asks > 0 {
				if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, asks/2); err != nil {
					t.Fatal(err)
				}
			}
			return fd
		})
		return network, ailment{
			lose: burst(t, network.Tx, to, reader, datagrams),
			heed: func() { asks = asksThen; reopen() },
			want: append(want, me(), "udp "+to.String()),
		}
	}
}

// udpBufferMax has a reader that asks for more than rmem_max.
func udpBufferMax(t *testing.T) (*lab.Net, ailment) {
	global(t, "core/rmem_max", "100000")
	return udpBuffer(8<<20, 8<<20, 300, "200,000 bytes", "as much as net.core.rmem_max allows")(t)
}

// udpOverMemory has a socket that is not read and holds all that UDP may hold, so that
// another one gets nothing.
func udpOverMemory(t *testing.T) (*lab.Net, ailment) {
	global(t, "ipv4/udp_mem", "1000 1000 1000")
	network := newNetwork(t)
	open := func(port uint16) func(datagrams int) func() int {
		to := netip.AddrPortFrom(network.Rx.Addr4, port)
		reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
		t.Cleanup(func() { unix.Close(reader) })
		if err := unix.SetsockoptInt(reader, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20); err != nil {
			t.Fatal(err)
		}
		return func(datagrams int) func() int { return burst(t, network.Tx, to, &reader, datagrams) }
	}
	open(curePort)
	sender := socket(t, network.Tx, unix.SOCK_DGRAM, netip.AddrPort{})
	t.Cleanup(func() { unix.Close(sender) })
	for range 4000 {
		if err := unix.Sendto(sender, make([]byte, 1400), 0, address(netip.AddrPortFrom(network.Rx.Addr4, curePort))); err != nil {
			t.Fatal(err)
		}
	}
	return network, ailment{node: true, lose: open(curePort + 1)(500)}
}

// tcpBuffer has a program that shrinks the buffer of a connection, whose peer has as much
// under way as was allowed before.
func tcpBuffer(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	listener := socket(t, network.Rx, unix.SOCK_STREAM, to)
	if err := unix.Listen(listener, 10); err != nil {
		t.Fatal(err)
	}
	count := counter(t, network.Rx, "TcpExt", "TCPRcvQDrop", "RcvPruned", "OfoPruned", "TCPOFODrop", "TCPBacklogDrop")
	shrinks := true
	t.Cleanup(func() { unix.Close(listener) })
	lose := func() {
		sender := socket(t, network.Tx, unix.SOCK_STREAM, netip.AddrPort{})
		defer unix.Close(sender)
		connect(t, sender, to)
		connection, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(connection) }) // it stays open for doctor to see
		if shrinks {
			if err := unix.SetsockoptInt(connection, unix.SOL_SOCKET, unix.SO_RCVBUF, 1); err != nil {
				t.Fatal(err)
			}
		}
		for {
			if _, err := unix.Write(sender, make([]byte, 1<<16)); err != nil {
				break // all that the window allows is under way
			}
		}
		_, _ = unix.Poll(nil, 20)
	}
	return network, ailment{
		lose: func() int { return since(count, lose) }, heed: func() { shrinks = false },
		want: []string{me(), "the program set SO_RCVBUF", "buffer_bytes\":2304"},
	}
}

// connect connects a socket, and tells whether that is done after a while.
func connect(t *testing.T, fd int, to netip.AddrPort) bool {
	t.Helper()
	if err := unix.Connect(fd, address(to)); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		t.Fatal(err)
	}
	events := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	ready, err := unix.Poll(events, 20)
	return err == nil && ready == 1 && events[0].Revents&(unix.POLLERR|unix.POLLHUP) == 0
}

// queue opens connections to a listener that accepts none before all are tried, and returns
// how many were not made.
func queue(t *testing.T, from *lab.Host, to netip.AddrPort, listener *int, connections int) func() int {
	return func() (lost int) {
		for range connections {
			fd := socket(t, from, unix.SOCK_STREAM, netip.AddrPort{})
			defer unix.Close(fd)
			if !connect(t, fd, to) {
				lost++
			}
		}
		for {
			fd, _, err := unix.Accept4(*listener, unix.SOCK_CLOEXEC)
			if err != nil {
				return lost
			}
			unix.Close(fd)
		}
	}
}

// acceptQueue has a listener whose backlog is too small; it heeds advice by asking for more,
// or by starting anew.
func acceptQueue(asks, asksThen int, want ...string) func(*testing.T) (*lab.Net, ailment) {
	return func(t *testing.T) (*lab.Net, ailment) {
		network := newNetwork(t)
		to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
		if asks > 4096 {
			if err := network.Rx.Sysctl("core/somaxconn", "4"); err != nil {
				t.Fatal(err)
			}
		}
		listener, reopen := reopened(t, func() int {
			fd := socket(t, network.Rx, unix.SOCK_STREAM, to)
			if err := unix.Listen(fd, asks); err != nil {
				t.Fatal(err)
			}
			return fd
		})
		return network, ailment{
			lose: queue(t, network.Tx, to, listener, 10),
			heed: func() { asks = asksThen; reopen() },
			want: append(want, me(), "tcp "+to.String()),
		}
	}
}

func acceptQueueMax(t *testing.T) (*lab.Net, ailment) {
	return acceptQueue(10000, 10000, "backlog of 4.", "net.core.somaxconn allows no more")(t)
}

// synQueue has clients whose addresses lead nowhere, so that they never get an answer.
func synQueue(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	for name, value := range map[string]string{"ipv4/tcp_syncookies": "0", "core/somaxconn": "1"} {
		if err := network.Rx.Sysctl(name, value); err != nil {
			t.Fatal(err)
		}
	}
	runIn(t, network.Rx, "ip", "neigh", "replace", network.Tx.Addr4.String(), "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", network.Rx.Device)
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	_, reopen := reopened(t, func() int {
		fd := socket(t, network.Rx, unix.SOCK_STREAM, to)
		if err := unix.Listen(fd, 10000); err != nil {
			t.Fatal(err)
		}
		return fd
	})
	count := counter(t, network.Rx, "TcpExt", "ListenDrops")
	return network, ailment{
		lose: func() int {
			return since(count, func() {
				for range 20 {
					fd := socket(t, network.Tx, unix.SOCK_STREAM, netip.AddrPort{})
					if err := unix.Connect(fd, address(to)); !errors.Is(err, unix.EINPROGRESS) {
						t.Error(err)
					}
					unix.Close(fd)
				}
			})
		},
		heed: reopen,
		want: []string{me(), "half open"},
	}
}
