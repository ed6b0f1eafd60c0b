// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package ledger_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/counters"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// patience bounds each wait for a NIC.
const patience = 30 * time.Second

// A nic is a network device on the hub of scripts/test-guest: each hears all others.
type nic struct {
	name  string
	index int
	mac   net.HardwareAddr
	lost  event.Counter // where it counts packets that found no descriptor

	starved bool // its threads are kept from the ring while it receives
}

// driven returns the name of the device that has a driver.
func driven(t *testing.T, driver string) string {
	t.Helper()
	links, err := filepath.Glob("/sys/class/net/*/device/driver")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(target) == driver {
			return strings.Split(link, "/")[4]
		}
	}
	labtest.Need(t, fmt.Errorf("find a device of %s: %w", driver, errors.ErrUnsupported))
	return ""
}

// newNIC sets the device of a driver up, which counts packets that find no descriptor
// under a name. The kernel sends nothing through it by itself.
func newNIC(t *testing.T, driver string, source event.CounterSource, lost string) *nic {
	t.Helper()
	labtest.NeedRoot(t)
	link, err := netlink.LinkByName(driven(t, driver))
	if err != nil {
		t.Fatal(err)
	}
	n := &nic{name: link.Attrs().Name, index: link.Attrs().Index, mac: link.Attrs().HardwareAddr}
	n.lost = event.Counter{Source: source, Name: lost, Device: n.name}
	write(t, "/proc/sys/net/ipv6/conf/"+n.name+"/disable_ipv6", "1")
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := netlink.LinkSetDown(link); err != nil {
			t.Error(err)
		}
	})
	await(t, n.name+"'s carrier", func() bool { return n.read(t, "carrier") == 1 })
	return n
}

// burst sends frames to another NIC, none of which anybody there wants, and waits until
// that has taken or missed them all. It returns how many it missed.
func (n *nic) burst(t *testing.T, to *nic, frames uint64) (missed uint64) {
	t.Helper()
	taken, before := to.taken(t), to.missed(t)
	arrived := func() bool {
		missed = to.missed(t) - before
		return to.taken(t)-taken+missed == frames
	}
	if to.starved {
		to.starve(t, func() {
			n.send(t, to, frames)
			spin(arrived)
		})
	} else {
		n.send(t, to, frames)
	}
	await(t, fmt.Sprintf("%d frames at %s", frames, to.name), arrived)
	return missed
}

// send sends frames at once: their buffer is so large that it need not sleep, see starve.
func (n *nic) send(t *testing.T, to *nic, frames uint64) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: n.index}); err != nil {
		t.Fatal(err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 1<<20); err != nil {
		t.Fatal(err)
	}
	const localExperiment = "\x88\xb5" // EtherType of IEEE 802
	frame := make([]byte, 200)
	copy(frame, string(to.mac)+string(n.mac)+localExperiment)
	for range frames {
		if _, err := unix.Write(fd, frame); err != nil {
			t.Fatal(err)
		}
	}
}

// taken is how many packets the NIC has received since it was made.
func (n *nic) taken(t *testing.T) uint64 {
	t.Helper()
	return n.read(t, "statistics/rx_packets")
}

// missed is how many found no descriptor, as the kernel's file says, or the driver.
func (n *nic) missed(t *testing.T) uint64 {
	t.Helper()
	if n.lost.Source == event.CounterLink {
		return n.read(t, "statistics/"+n.lost.Name)
	}
	reader, err := counters.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	readings, err := reader.Read()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readings {
		if r.Source == n.lost.Source && r.Device == n.lost.Device && r.Name == n.lost.Name {
			return r.Value
		}
	}
	t.Fatalf("no counter %v", n.lost)
	return 0
}

func (n *nic) file(name string) string { return "/sys/class/net/" + n.name + "/" + name }

func (n *nic) read(t *testing.T, file string) uint64 {
	t.Helper()
	text, err := os.ReadFile(n.file(file))
	if err != nil {
		t.Fatal(err)
	}
	value, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func write(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
}

// spin is await for a thread that must not sleep, and for as long as Linux lets a
// real-time thread run: 950 ms a second (sched_rt_runtime_us).
func spin(done func() bool) {
	for deadline := time.Now().Add(time.Second); !done() && time.Now().Before(deadline); {
	}
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %s after %v", what, patience)
		}
	}
}
