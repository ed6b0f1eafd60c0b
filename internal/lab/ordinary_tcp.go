// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// serverPort is where servers listen on a LAN.
const serverPort = 8080

// ordinaryTCP is ordinary life of TCP.
func ordinaryTCP() []Ordinary {
	return []Ordinary{
		{"web-keep-alive", "many requests over a few connections at once", webKeepAlive},
		{"web-connection-each", "a connection for each request, which the server closes", webConnectionEach},
		{"web-ipv6", "the same over IPv6", webIPv6},
		{"upload-half-closed", "an upload to a server that closed its sending side", uploadHalfClosed},
		{"download-half-closed", "a client that says at once that it will send no more", downloadHalfClosed},
		{"closed-at-once", "both sides close at the same time", closedAtOnce},
		{"time-wait", "connections that leave their ports in TIME_WAIT, used anew", timeWait},
		{"idle-keepalive", "an idle connection that is probed", idleKeepalive},
		{"reset-on-close", "a server that closes with data unread", resetOnClose},
		{"kubernetes-probes", "health checks by connecting, and by HTTP", kubernetesProbes},
		{"reuseport", "several listeners on one port, one of which goes away", reusePort},
		{"fast-open", "data in the SYN", fastOpen},
		{"mptcp", "multipath TCP", multipath},
		{"loopback", "a server and its client on one host", loopbackTCP},
	}
}

// listen opens a listener in the host's namespace; control may set options.
func (h *Host) listen(addr netip.Addr, port uint16, control func(fd uintptr) error) (l net.Listener, err error) {
	config := net.ListenConfig{Control: onSocket(control)}
	err = h.Do(func() error {
		l, err = config.Listen(context.Background(), "tcp", netip.AddrPortFrom(addr, port).String())
		return err
	})
	return l, err
}

// dial connects from the host's namespace.
func (h *Host) dial(addr netip.Addr, port uint16, control func(fd uintptr) error) (c *net.TCPConn, err error) {
	dialer := net.Dialer{Timeout: patience, FallbackDelay: -1, Control: onSocket(control)}
	err = h.Do(func() error {
		conn, err := dialer.Dial("tcp", netip.AddrPortFrom(addr, port).String())
		if err == nil {
			c = conn.(*net.TCPConn)
		}
		return err
	})
	return c, err
}

func onSocket(control func(fd uintptr) error) func(string, string, syscall.RawConn) error {
	return func(_, _ string, raw syscall.RawConn) error {
		if control == nil {
			return nil
		}
		var err error
		return errors.Join(raw.Control(func(fd uintptr) { err = control(fd) }), err)
	}
}

// serve has each connection of a listener served, until it is closed.
func serve(l net.Listener, each func(*net.TCPConn) error) func() error {
	return func() error {
		var working []chan error
		var errs []error
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				break
			}
			if err != nil {
				return err
			}
			done := make(chan error, 1)
			working = append(working, done)
			go func() { done <- each(conn.(*net.TCPConn)) }()
		}
		for _, done := range working {
			errs = append(errs, <-done)
		}
		return errors.Join(errs...)
	}
}

// answer serves requests of a line each with a page each, until the client ends.
func answer(conn *net.TCPConn) error {
	defer conn.Close()
	for in := bufio.NewScanner(conn); in.Scan(); {
		if _, err := conn.Write(page()); err != nil {
			return err
		}
	}
	return nil
}

func page() []byte { return make([]byte, 20_000) }

// request asks for a page and reads it.
func request(conn *net.TCPConn) error {
	if _, err := io.WriteString(conn, "GET\n"); err != nil {
		return err
	}
	_, err := io.ReadFull(conn, page())
	return err
}

// exchange runs a server on the second host of a LAN and a client on the first.
func (l *LAN) exchange(addr netip.Addr, each func(*net.TCPConn) error, client func() error) error {
	listener, err := l.Hosts[1].listen(addr, serverPort, nil)
	if err != nil {
		return err
	}
	err = both(serve(listener, each), func() error {
		defer listener.Close()
		return client()
	})
	rest()
	return err
}

func webKeepAlive(_ context.Context, l *LAN) error {
	return l.exchange(l.Hosts[1].Addr4, answer, func() error {
		var done []chan error
		for range 8 {
			conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, nil)
			if err != nil {
				return err
			}
			end := make(chan error, 1)
			done = append(done, end)
			go func() {
				for range 12 {
					if err := request(conn); err != nil {
						end <- err
						return
					}
				}
				end <- conn.Close()
			}()
		}
		var errs []error
		for _, end := range done {
			errs = append(errs, <-end)
		}
		return errors.Join(errs...)
	})
}

// onePage serves a page and closes first.
func onePage(conn *net.TCPConn) error {
	defer conn.Close()
	if _, err := bufio.NewReader(conn).ReadString('\n'); err != nil {
		return err
	}
	_, err := conn.Write(page())
	return err
}

// fetch makes a connection, reads a page to the server's end of it, and closes.
func (l *LAN) fetch(addr netip.Addr, times int) error {
	for range times {
		conn, err := l.Hosts[0].dial(addr, serverPort, nil)
		if err != nil {
			return err
		}
		if err := request(conn); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, conn); err != nil {
			return err
		}
		if err := conn.Close(); err != nil {
			return err
		}
	}
	return nil
}

func webConnectionEach(_ context.Context, l *LAN) error {
	addr := l.Hosts[1].Addr4
	return l.exchange(addr, onePage, func() error { return l.fetch(addr, 25) })
}

func webIPv6(_ context.Context, l *LAN) error {
	if !l.Hosts[0].HasIPv6() {
		return fmt.Errorf("use IPv6: %w", errors.ErrUnsupported)
	}
	addr := l.Hosts[1].Addr6
	return l.exchange(addr, onePage, func() error { return l.fetch(addr, 15) })
}

const upload = 1 << 20

func uploadHalfClosed(_ context.Context, l *LAN) error {
	return l.exchange(l.Hosts[1].Addr4, func(conn *net.TCPConn) error {
		defer conn.Close()
		if err := conn.CloseWrite(); err != nil {
			return err
		}
		return all(conn, upload)
	}, func() error {
		conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, nil)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := all(conn, 0); err != nil {
			return err
		}
		_, err = conn.Write(make([]byte, upload))
		return err
	})
}

// all reads to the end, which has to come after so many bytes.
func all(r io.Reader, want int64) error {
	n, err := io.Copy(io.Discard, r)
	if err == nil && n != want {
		err = fmt.Errorf("%d bytes came, not %d", n, want)
	}
	return err
}

func downloadHalfClosed(_ context.Context, l *LAN) error {
	return l.exchange(l.Hosts[1].Addr4, func(conn *net.TCPConn) error {
		defer conn.Close()
		if err := all(conn, 0); err != nil {
			return err
		}
		_, err := conn.Write(make([]byte, upload))
		return err
	}, func() error {
		conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, nil)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.CloseWrite(); err != nil {
			return err
		}
		return all(conn, upload)
	})
}

func closedAtOnce(_ context.Context, l *LAN) error {
	const many = 20
	accepted, closing := make(chan struct{}, many), make(chan struct{})
	return l.exchange(l.Hosts[1].Addr4, func(conn *net.TCPConn) error {
		accepted <- struct{}{}
		<-closing
		return conn.Close()
	}, func() error {
		var conns []*net.TCPConn
		for range many {
			conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, nil)
			if err != nil {
				return err
			}
			conns = append(conns, conn)
			<-accepted
		}
		close(closing)
		var errs []error
		for _, conn := range conns {
			errs = append(errs, conn.Close())
		}
		return errors.Join(errs...)
	})
}

func timeWait(_ context.Context, l *LAN) error {
	from := netip.AddrPortFrom(l.Hosts[0].Addr4, srcPort)
	again := func(fd uintptr) error {
		return errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1), unix.Bind(int(fd), sockaddr(from)))
	}
	return l.exchange(l.Hosts[1].Addr4, onePage, func() error {
		for range 5 {
			conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, again)
			if err != nil {
				return err
			}
			if err := request(conn); err != nil {
				return err
			}
			if err := errors.Join(all(conn, 0), conn.Close()); err != nil {
				return err
			}
			rest() // the server's end is in TIME_WAIT
		}
		return nil
	})
}

func idleKeepalive(_ context.Context, l *LAN) error {
	return l.exchange(l.Hosts[1].Addr4, answer, func() error {
		conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, nil)
		if err != nil {
			return err
		}
		defer conn.Close()
		if err := conn.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: time.Second, Interval: time.Second}); err != nil {
			return err
		}
		if err := request(conn); err != nil {
			return err
		}
		time.Sleep(2500 * time.Millisecond) // two probes
		return request(conn)
	})
}

func resetOnClose(_ context.Context, l *LAN) error {
	return l.exchange(l.Hosts[1].Addr4, func(conn *net.TCPConn) error {
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
			return err
		}
		rest()
		return conn.Close() // with the rest unread
	}, func() error {
		for range 10 {
			conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, nil)
			if err != nil {
				return err
			}
			if _, err := conn.Write(make([]byte, 1000)); err != nil {
				return err
			}
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, unix.ECONNRESET) {
				return fmt.Errorf("read: error %v, want %v", err, unix.ECONNRESET)
			}
			conn.Close()
		}
		return nil
	})
}

func kubernetesProbes(_ context.Context, l *LAN) error {
	addr := l.Hosts[1].Addr4
	return l.exchange(addr, answer, func() error {
		for range 10 {
			conn, err := l.Hosts[0].dial(addr, serverPort, nil)
			if err != nil {
				return err
			}
			// As the kubelet closes probes, so that they leave no TIME_WAIT.
			if err := errors.Join(conn.SetLinger(0), conn.Close()); err != nil {
				return err
			}
			if conn, err = l.Hosts[0].dial(addr, serverPort, nil); err != nil {
				return err
			}
			if err := errors.Join(request(conn), conn.Close()); err != nil {
				return err
			}
		}
		return nil
	})
}

func reusePort(_ context.Context, l *LAN) error {
	share := func(fd uintptr) error { return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1) }
	var listeners []net.Listener
	var served []chan error
	for range 3 {
		listener, err := l.Hosts[1].listen(l.Hosts[1].Addr4, serverPort, share)
		if err != nil {
			return err
		}
		listeners = append(listeners, listener)
		done := make(chan error, 1)
		served = append(served, done)
		go func() { done <- serve(listener, onePage)() }()
	}
	err := l.fetch(l.Hosts[1].Addr4, 12)
	rest()
	errs := []error{err, listeners[0].Close(), <-served[0], l.fetch(l.Hosts[1].Addr4, 12)}
	for i := range listeners[1:] {
		errs = append(errs, listeners[i+1].Close(), <-served[i+1])
	}
	rest()
	return errors.Join(errs...)
}

func fastOpen(_ context.Context, l *LAN) error {
	const connects, listens = 1, 2
	for _, h := range l.Hosts[:2] {
		if err := h.Sysctl("ipv4/tcp_fastopen", fmt.Sprint(connects|listens)); err != nil {
			return err
		}
	}
	listener, err := l.Hosts[1].listen(l.Hosts[1].Addr4, serverPort, func(fd uintptr) error {
		return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_FASTOPEN, 16)
	})
	if err != nil {
		return err
	}
	defer rest()
	return both(serve(listener, answer), func() error {
		defer listener.Close()
		for range 10 { // the first asks for a cookie
			conn, err := l.Hosts[0].dial(l.Hosts[1].Addr4, serverPort, func(fd uintptr) error {
				return unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_FASTOPEN_CONNECT, 1)
			})
			if err != nil {
				return err
			}
			if err := errors.Join(request(conn), conn.Close()); err != nil {
				return err
			}
			rest()
		}
		return nil
	})
}

func multipath(_ context.Context, l *LAN) error {
	config := net.ListenConfig{}
	config.SetMultipathTCP(true)
	dialer := net.Dialer{Timeout: patience, FallbackDelay: -1}
	dialer.SetMultipathTCP(true)
	to := netip.AddrPortFrom(l.Hosts[1].Addr4, serverPort).String()
	var listener net.Listener
	err := l.Hosts[1].Do(func() (err error) {
		listener, err = config.Listen(context.Background(), "tcp", to)
		return err
	})
	if err != nil {
		return err
	}
	defer rest()
	return both(serve(listener, onePage), func() error {
		defer listener.Close()
		for range 8 {
			var conn *net.TCPConn
			err := l.Hosts[0].Do(func() error {
				c, err := dialer.Dial("tcp", to)
				if err == nil {
					conn = c.(*net.TCPConn)
				}
				return err
			})
			if err != nil {
				return err
			}
			if is, err := conn.MultipathTCP(); err != nil || !is {
				return errors.Join(err, conn.Close(), fmt.Errorf("connect by multipath TCP: %w", errors.ErrUnsupported))
			}
			if err := errors.Join(request(conn), all(conn, 0), conn.Close()); err != nil {
				return err
			}
		}
		return nil
	})
}

func loopbackTCP(_ context.Context, l *LAN) error {
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	host := l.Hosts[0]
	listener, err := host.listen(local, serverPort, nil)
	if err != nil {
		return err
	}
	defer rest()
	return both(serve(listener, onePage), func() error {
		defer listener.Close()
		return l.fetch(local, 15)
	})
}
