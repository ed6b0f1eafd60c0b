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

	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
)

// patience bounds each wait for a NIC.
const patience = 30 * time.Second

// A nic is a network device on the hub of scripts/test-guest: each hears all others.
type nic struct {
	name  string
	index int
	mac   net.HardwareAddr
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

// newNIC sets the device of a driver up. The kernel sends nothing through it by itself.
func newNIC(t *testing.T, driver string) nic {
	t.Helper()
	labtest.NeedRoot(t)
	link, err := netlink.LinkByName(driven(t, driver))
	if err != nil {
		t.Fatal(err)
	}
	n := nic{link.Attrs().Name, link.Attrs().Index, link.Attrs().HardwareAddr}
	n.write(t, "/proc/sys/net/ipv6/conf/"+n.name+"/disable_ipv6", "1")
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

// neglect has the driver look into the ring once a second, with interrupts off, so that a
// burst is over by then. It begins when the next packet has come.
//
// Needs kernel 5.8+ (6f8b12d661d0, napi_defer_hard_irqs).
func (n nic) neglect(t *testing.T) {
	t.Helper()
	for file, value := range map[string]string{
		"gro_flush_timeout":    strconv.FormatInt(time.Second.Nanoseconds(), 10),
		"napi_defer_hard_irqs": "1000",
	} {
		n.write(t, n.file(file), value)
		t.Cleanup(func() { n.write(t, n.file(file), "0") })
	}
}

// burst sends frames to another NIC, none of which anybody there wants, and waits until
// that has taken or missed them all. It returns how many it missed.
func (n nic) burst(t *testing.T, to nic, frames uint64) (missed uint64) {
	t.Helper()
	taken, before := to.counter(t, "rx_packets"), to.counter(t, "rx_missed_errors")
	n.send(t, to, frames)
	await(t, fmt.Sprintf("%d frames at %s", frames, to.name), func() bool {
		missed = to.counter(t, "rx_missed_errors") - before
		return to.counter(t, "rx_packets")-taken+missed == frames
	})
	return missed
}

func (n nic) send(t *testing.T, to nic, frames uint64) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: n.index}); err != nil {
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

// counter reads one of the interface's.
func (n nic) counter(t *testing.T, name string) uint64 {
	t.Helper()
	return n.read(t, "statistics/"+name)
}

func (n nic) file(name string) string { return "/sys/class/net/" + n.name + "/" + name }

func (n nic) read(t *testing.T, file string) uint64 {
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

func (n nic) write(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(value), 0); err != nil {
		t.Fatal(err)
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
