// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

// Command backlog-lab sends bursts of datagrams over a veth pair, in network namespaces
// of its own, to a CPU that is kept from handling them for 20 ms each time: more than
// net.core.netdev_max_backlog of them are lost. It needs root.
package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/inject"
)

const (
	hold   = 20 * time.Millisecond // what a CPU needs to send a burst, several times over
	buffer = 16 << 20              // room for bursts on both ends
	port   = 20100
)

func main() {
	duration := flag.Duration("d", 2*time.Second, "how long to send")
	burst := flag.Int("burst", 3000, "datagrams in a row")
	flag.Parse()
	sent, received, err := run(*duration, *burst)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	fmt.Printf("sent %d received %d lost %d\n", sent, received, sent-received)
}

func run(duration time.Duration, burst int) (sent, received uint64, err error) {
	bench, err := inject.Open(inject.BHOff)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, bench.Close()) }()
	sink, err := listen(bench.Net())
	if err != nil {
		return 0, 0, err
	}
	defer sink.Close()
	var count atomic.Uint64
	drained := make(chan error, 1)
	go func() { drained <- drain(sink, &count) }()
	source, err := dial(bench.Net())
	if err != nil {
		return 0, 0, err
	}
	defer source.Close()
	for end := time.Now().Add(duration); time.Now().Before(end); sent += uint64(burst) {
		if err := overrun(bench, source, burst); err != nil {
			return 0, 0, err
		}
	}
	time.Sleep(5 * hold) // what was queued last arrives
	err = sink.SetReadDeadline(time.Now())
	return sent, count.Load(), errors.Join(err, <-drained)
}

// overrun sends a burst while the CPU that is to handle it is held.
func overrun(bench *inject.Bench, source *net.UDPConn, burst int) error {
	held := make(chan error, 1)
	go func() {
		_, err := bench.Inject(hold)
		held <- err
	}()
	time.Sleep(hold / 4)
	err := lab.Pinned(0, func() error { // from there packets are steered to CPU 1
		for range burst {
			if _, err := source.Write(make([]byte, 64)); err != nil {
				return fmt.Errorf("send datagram: %w", err)
			}
		}
		return nil
	})
	return errors.Join(err, <-held)
}

func listen(n *lab.Net) (sink *net.UDPConn, err error) {
	err = n.Rx.Do(func() error {
		sink, err = net.ListenUDP("udp4", &net.UDPAddr{IP: n.Rx.Addr4.AsSlice(), Port: port})
		return err
	})
	return sink, errors.Join(err, enlarge(sink, unix.SO_RCVBUFFORCE))
}

func dial(n *lab.Net) (source *net.UDPConn, err error) {
	err = n.Tx.Do(func() error {
		source, err = net.DialUDP("udp4", nil, &net.UDPAddr{IP: n.Rx.Addr4.AsSlice(), Port: port})
		return err
	})
	return source, errors.Join(err, enlarge(source, unix.SO_SNDBUFFORCE))
}

// enlarge gives a socket's buffer room past the limits of the machine.
func enlarge(conn *net.UDPConn, option int) error {
	if conn == nil {
		return nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var set error
	err = raw.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, buffer) })
	return errors.Join(err, set)
}

// drain counts datagrams until the read deadline.
func drain(sink *net.UDPConn, count *atomic.Uint64) error {
	packet := make([]byte, 128)
	for {
		if _, err := sink.Read(packet); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return fmt.Errorf("receive datagram: %w", err)
		}
		count.Add(1)
	}
}
