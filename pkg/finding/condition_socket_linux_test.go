// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/lab"
)

const port = 20100

// socketConditions are queues and buffers of sockets that are full.
func socketConditions() []condition {
	return []condition{
		{"all of UDP over its memory", udpOverMemory, "udp-memory", true},
		{"a TCP receiver whose buffer shrinks", tcpShrunk, "tcp-receive-buffer", true},
		{"half-open connections without cookies", halfOpen("0"), "syn-queue", true},
		{"half-open connections with cookies", halfOpen("1"), "syn-queue", true},
		{"a budget of one packet", oneAtATime, "budget", true},
	}
}

// bind opens UDP at a host, in its namespace.
func bind(t *testing.T, h *lab.Host, to netip.AddrPort) *net.UDPConn {
	t.Helper()
	var conn *net.UDPConn
	check(t, h.Do(func() (err error) {
		if to.IsValid() {
			conn, err = net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(to))
		} else {
			conn, err = net.ListenUDP("udp4", &net.UDPAddr{IP: h.Addr4.AsSlice(), Port: port})
		}
		return err
	}))
	t.Cleanup(func() { conn.Close() })
	return conn
}

// listen opens TCP at a host, in its namespace.
func listen(t *testing.T, h *lab.Host) net.Listener {
	t.Helper()
	var listener net.Listener
	check(t, h.Do(func() (err error) {
		listener, err = net.Listen("tcp4", fmt.Sprintf("%s:%d", h.Addr4, port))
		return err
	}))
	t.Cleanup(func() { listener.Close() })
	return listener
}

// udpOverMemory sends more than each CPU may hold in reserve (mem_pcpu_rsv, 1 MiB) to a
// socket that nobody reads.
func udpOverMemory(t *testing.T, network *lab.Net) {
	global(t, "net/core/rmem_max", "67108864")
	global(t, "net/ipv4/udp_mem", "1 1 1")
	check(t, bind(t, network.Rx, netip.AddrPort{}).SetReadBuffer(32<<20))
	conn := bind(t, network.Tx, netip.AddrPortFrom(network.Rx.Addr4, port))
	for range 8000 {
		_, _ = conn.Write(make([]byte, 1400)) // what is not taken is what the test is about
	}
}

// tcpShrunk has a peer send as much as its window allows, to a receiver that has less
// room by then.
func tcpShrunk(t *testing.T, network *lab.Net) {
	listener := listen(t, network.Rx)
	var sender net.Conn
	check(t, network.Tx.Do(func() (err error) {
		sender, err = net.Dial("tcp4", listener.Addr().String())
		return err
	}))
	defer sender.Close()
	receiver, err := listener.Accept()
	check(t, err)
	defer receiver.Close()
	check(t, receiver.(*net.TCPConn).SetReadBuffer(1))
	check(t, sender.SetWriteDeadline(time.Now().Add(time.Second)))
	_, _ = sender.Write(make([]byte, 1<<20)) // stops when the window is full
}

// halfOpen has clients whose addresses lead nowhere, so that they never get an answer.
func halfOpen(cookies string) func(*testing.T, *lab.Net) {
	return func(t *testing.T, network *lab.Net) {
		check(t, network.Rx.Sysctl("ipv4/tcp_syncookies", cookies))
		check(t, network.Rx.Sysctl("core/somaxconn", "1"))
		command(t, network.Rx, "ip", "neigh", "replace", network.Tx.Addr4.String(), "lladdr", "02:00:00:00:00:99", "nud", "permanent", "dev", network.Rx.Device)
		listener := listen(t, network.Rx)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		for range 20 {
			check(t, network.Tx.Do(func() error {
				// Fails when the time is up: nobody answers.
				conn, err := (&net.Dialer{Timeout: 2 * time.Millisecond}).DialContext(ctx, "tcp4", listener.Addr().String())
				if err == nil {
					conn.Close()
				}
				return nil
			}))
		}
	}
}

// oneAtATime has the kernel stop receiving after each packet.
func oneAtATime(t *testing.T, network *lab.Net) {
	global(t, "net/core/netdev_budget", "1")
	bind(t, network.Rx, netip.AddrPort{})
	conn := bind(t, network.Tx, netip.AddrPortFrom(network.Rx.Addr4, port))
	for range 1000 {
		_, err := conn.Write([]byte{1})
		check(t, err)
	}
}
