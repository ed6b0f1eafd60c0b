// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// day is the variable that says how many namespaces TestDay goes through.
const day = "DROPWATCH_DAY"

const (
	podsAtATime = 40
	podsInShort = 1_200
	podsFirst   = 500 // from then on memory does not grow
)

// TestDay records a node whose namespaces and processes come and go, with devices that are
// renamed and moved: what is recorded is right, and nothing of what is gone is held.
func TestDay(t *testing.T) {
	labtest.NeedRoot(t)
	pods := podsInShort
	if n, err := strconv.Atoi(os.Getenv(day)); err == nil {
		pods = n
	}
	cmd, stderr := dropwatch(t, "record", "-q", "--no-stalls", "-o", "day.zst") // the watch for stalls keeps symbols of programs, within bounds of its own
	cmd.Env = append(cmd.Env, asDropwatch+"="+holding)
	held, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begin(t, cmd, "day.zst")
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer home.Close()
	n := podNode{t: t, home: home, prefix: fmt.Sprintf("dwday%d-", os.Getpid()), spaces: map[uint32]bool{}}
	t.Cleanup(n.clean)
	memory := &memoryWatch{process: cmd.Process, answers: bufio.NewScanner(held)}
	for i := range pods {
		n.start(i)
		if len(n.pods) > podsAtATime {
			n.stop()
		}
		memory.look(t, i)
	}
	for len(n.pods) > 0 {
		n.stop()
	}
	time.Sleep(2 * time.Second) // the recorder looks once more
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	n.check(filepath.Join(cmd.Dir, "day.zst"))
	memory.check(t)
}

// podNode is where pods come and go.
type podNode struct {
	t       *testing.T
	home    *os.File // its network namespace
	prefix  string
	pods    []pod
	spaces  map[uint32]bool // the numbers of their namespaces
	refused uint64          // datagrams to closed ports
	unread  uint64          // frames that nobody wanted
	ends    []time.Duration // how long it took until a namespace was gone
}

// pod is a network namespace with a pair of devices.
type pod struct {
	number int
	path   string // of the file that names it
	device string // the node's end of the pair
	moved  bool   // that end is in another pod
}

const lostAtATime = 3

// start makes a pod, whose end of the pair is renamed on the node, or moved to another pod
// after it lost packets, and processes.
func (n *podNode) start(i int) {
	n.t.Helper()
	p := pod{i, filepath.Join("/run/netns", fmt.Sprint(n.prefix, i)), fmt.Sprintf("dwd%d", i), i%5 == 0 && len(n.pods) > 0}
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		n.t.Fatal(err)
	}
	if err := os.WriteFile(p.path, nil, 0o600); err != nil {
		n.t.Fatal(err)
	}
	n.pods = append(n.pods, p)
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err := n.inhabit(p)
		if back := unix.Setns(int(n.home.Fd()), unix.CLONE_NEWNET); back == nil {
			runtime.UnlockOSThread() // else the thread ends with its goroutine
		}
		done <- err
	}()
	if err := <-done; err != nil {
		n.t.Fatal(err)
	}
	link, err := netlink.LinkByName(p.device + "x")
	if err != nil {
		n.t.Fatal(err)
	}
	if p.moved {
		err = n.move(link, n.pods[len(n.pods)-2])
	} else {
		err = netlink.LinkSetName(link, p.device)
	}
	if err != nil {
		n.t.Fatal(err)
	}
	for range 2 + i%2 {
		if err := exec.Command("/bin/true").Run(); err != nil {
			n.t.Fatal(err)
		}
	}
}

func (n *podNode) move(link netlink.Link, to pod) error {
	space, err := os.Open(to.path)
	if err != nil {
		return err
	}
	defer space.Close()
	return netlink.LinkSetNsFd(link, int(space.Fd()))
}

// inhabit makes the namespace of a pod, and does there what pods do. Its thread has a name
// of its own, as processes have.
func (n *podNode) inhabit(p pod) error {
	name := fmt.Appendf(nil, "pod%d\x00", p.number)
	if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0, 0, 0); err != nil {
		return fmt.Errorf("name thread: %w", err)
	}
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make namespace: %w", err)
	}
	if err := unix.Mount("/proc/thread-self/ns/net", p.path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("name namespace: %w", err)
	}
	var stat unix.Stat_t
	if err := unix.Stat(p.path, &stat); err != nil {
		return err
	}
	n.spaces[uint32(stat.Ino)] = true
	return n.connect(p)
}

// connect makes the devices of a pod, and loses packets on them.
func (n *podNode) connect(p pod) error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer handle.Close()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "eth0"
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerNamespace = p.device+"x", netlink.NsFd(int(n.home.Fd()))
	if err := handle.LinkAdd(veth); err != nil {
		return fmt.Errorf("add veth: %w", err)
	}
	lo, err := handle.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := handle.LinkSetUp(lo); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	if p.number%4 == 0 {
		if err := n.refuse(); err != nil {
			return fmt.Errorf("send to a closed port: %w", err)
		}
	}
	if p.number%5 != 0 {
		return nil
	}
	return n.ignore(p)
}

// refuse sends datagrams to a closed port. It holds its CPU until each was refused: else the
// kernel may throw it away while it interrupts a process during which it runs no BPF programs.
func (n *podNode) refuse() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: 9}); err != nil {
		return err
	}
	return lab.Pinned(-1, func() error {
		for range lostAtATime {
			if _, err := unix.Write(fd, []byte("lost")); err != nil {
				return err
			}
			n.refused++
			answer := error(unix.EAGAIN)
			for end := time.Now().Add(time.Second); answer == unix.EAGAIN && time.Now().Before(end); {
				_, answer = unix.Read(fd, make([]byte, 1))
			}
			if answer != unix.ECONNREFUSED {
				return fmt.Errorf("wait for the refusal: %w", answer)
			}
		}
		return nil
	})
}

// ignore sends frames that the node does not want to its end of the pair.
func (n *podNode) ignore(p pod) error {
	up := make(chan error, 1)
	go func() { // on another thread, which is on the node
		peer, err := netlink.LinkByName(p.device + "x")
		if err == nil {
			err = netlink.LinkSetUp(peer)
		}
		up <- err
	}()
	if err := <-up; err != nil {
		return fmt.Errorf("set veth up: %w", err)
	}
	device, err := net.InterfaceByName("eth0")
	if err != nil {
		return err
	}
	if err := setUp(device.Name); err != nil {
		return fmt.Errorf("set veth up: %w", err)
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	frame := make([]byte, 60)
	copy(frame, "\xff\xff\xff\xff\xff\xff")
	frame[12], frame[13] = 0x88, 0xb5 // ETH_P_802_EX1
	for range lostAtATime {
		if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: device.Index}); err != nil {
			return fmt.Errorf("send frame: %w", err)
		}
		n.unread++
	}
	return nil
}

// setUp sets a device of the thread's own namespace up.
func setUp(name string) error {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer handle.Close()
	link, err := handle.LinkByName(name)
	if err != nil {
		return err
	}
	return handle.LinkSetUp(link)
}

// stop ends the oldest pod. Now and then it waits until its devices are gone.
func (n *podNode) stop() {
	n.t.Helper()
	p := n.pods[0]
	n.pods = n.pods[1:]
	if err := unix.Unmount(p.path, unix.MNT_DETACH); err != nil {
		n.t.Fatal(err)
	}
	if err := os.Remove(p.path); err != nil {
		n.t.Fatal(err)
	}
	if p.moved || p.number%50 != 1 {
		return
	}
	started := time.Now()
	for {
		if _, err := os.Stat("/sys/class/net/" + p.device); errors.Is(err, os.ErrNotExist) {
			break
		}
		if time.Since(started) > 20*time.Second {
			n.t.Fatalf("%s lives on", p.device)
		}
		time.Sleep(time.Millisecond)
	}
	n.ends = append(n.ends, time.Since(started))
}

// clean ends what a test that failed has left.
func (n *podNode) clean() {
	for _, p := range n.pods {
		_ = unix.Unmount(p.path, unix.MNT_DETACH) // it may not be mounted yet
		_ = os.Remove(p.path)
	}
}

// check reads what was recorded: all drops, and no more on the devices of pods than there
// were.
func (n *podNode) check(path string) {
	n.t.Helper()
	var meter event.Meter
	var refused uint64
	eachEvent(n.t, path, func(e event.Event) {
		switch e := e.(type) {
		case *event.Counters:
			meter.Add(e)
		case *event.Tick:
			for _, c := range e.Counts {
				const loopback = 1 // the index of lo
				if n.spaces[c.Cell.Netns.Inode] && c.Cell.Reason.Name == "NO_SOCKET" && c.Cell.Device.Index == loopback {
					refused += c.Drops
				}
			}
		}
	})
	if refused != n.refused {
		n.t.Errorf("%d datagrams were lost, %d are recorded", n.refused, refused)
	}
	var noPorts, dropped uint64
	for _, c := range meter.Movements() {
		switch {
		case n.spaces[c.Netns.Inode] && c.Name == "UdpNoPorts":
			noPorts += c.Moved
		case c.Name == "rx_dropped" && (strings.HasPrefix(c.Device, "dwd") || c.Device == event.GoneDevices):
			dropped += c.Moved
		}
	}
	n.t.Logf("of %d refused datagrams %d, of %d ignored frames %d are in counters", n.refused, noPorts, n.unread, dropped)
	if noPorts == 0 || noPorts > n.refused {
		n.t.Errorf("UdpNoPorts moved by %d, %d datagrams were refused", noPorts, n.refused)
	}
	if dropped == 0 || dropped > n.unread {
		n.t.Errorf("rx_dropped moved by %d, %d frames were ignored", dropped, n.unread)
	}
	slices.Sort(n.ends)
	n.t.Logf("%d namespaces were gone after %v at most, %v in the middle", len(n.ends), n.ends[len(n.ends)-1], n.ends[len(n.ends)/2])
}

// memoryWatch follows the memory that a recorder holds.
type memoryWatch struct {
	process     *os.Process
	answers     *bufio.Scanner
	first, most int // in the first pods, and of all; bytes
}

const (
	lookEach   = 50 // pods
	heldGrowth = 8 << 20
)

// look asks for the memory now and then.
func (m *memoryWatch) look(t *testing.T, pods int) {
	t.Helper()
	if pods%lookEach != lookEach-1 {
		return
	}
	if err := m.process.Signal(unix.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if !m.answers.Scan() {
		t.Fatalf("no answer: %v", m.answers.Err())
	}
	bytes, err := strconv.Atoi(m.answers.Text())
	if err != nil {
		t.Fatal(err)
	}
	if m.most = max(m.most, bytes); pods < podsFirst {
		m.first = m.most
	}
	if pods%podsFirst == podsFirst-1 {
		t.Logf("%d kB held after %d pods, %d at most", bytes>>10, pods+1, m.most>>10)
	}
}

func (m *memoryWatch) check(t *testing.T) {
	t.Helper()
	t.Logf("%d kB held at most in the first %d pods, %d in all", m.first>>10, podsFirst, m.most>>10)
	if m.most > m.first+heldGrowth {
		t.Errorf("memory grew from %d bytes to %d", m.first, m.most)
	}
}
