// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
)

// losses adds up the changes of counters, as readers of recordings do.
type losses struct {
	*Changes
	t     *testing.T
	turns int
	last  map[event.CounterID]uint64
	moved map[event.CounterID]uint64
	names map[event.CounterID]event.Counter
}

func newLosses(t *testing.T) *losses {
	t.Helper()
	changes, err := NewChanges()
	if err != nil {
		t.Fatal(err)
	}
	l := &losses{changes, t, 0, map[event.CounterID]uint64{}, map[event.CounterID]uint64{}, map[event.CounterID]event.Counter{}}
	l.read()
	return l
}

// read takes a reading in the order that event.Counters says.
func (l *losses) read() *event.Counters {
	l.t.Helper()
	l.reader.search = time.Time{} // look for namespaces each time
	e, err := l.Read(time.Now())
	if err != nil {
		l.t.Fatal(err)
	}
	for _, c := range e.Gone {
		delete(l.last, c.ID())
	}
	for _, r := range e.Bases {
		if l.turns == 0 {
			l.t.Errorf("base at the start: %+v", r)
		}
		l.last[r.ID()] = r.Value
	}
	for _, r := range e.Readings {
		id := r.ID()
		if _, known := l.last[id]; l.turns == 0 && !known {
			l.last[id] = r.Value
		}
		if r.Value > l.last[id] {
			l.moved[id] += r.Value - l.last[id]
		}
		l.last[id], l.names[id] = r.Value, r.Counter
	}
	l.turns++
	return e
}

// of returns the changes of a device's counters in all its namespaces, by name.
func (l *losses) of(device string) map[string]uint64 {
	moved := map[string]uint64{}
	for id, n := range l.moved {
		if c := l.names[id]; c.Device == device && n > 0 {
			moved[c.Name] += n
		}
	}
	return moved
}

// newSpaces makes namespaces with names for the time of a test.
func newSpaces(t *testing.T, names ...string) []string {
	t.Helper()
	for i, name := range names {
		names[i] = fmt.Sprintf("dw-%s-%d", name, os.Getpid())
		run(t, "ip", "netns", "add", names[i])
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", names[i]).Run() }) // the test may have
	}
	return names
}

// newPair makes a pair of devices in a namespace.
func newPair(t *testing.T, space, device, peer string) {
	t.Helper()
	err := netns.Do("/run/netns/"+space, func() error { // which sends packets by itself
		err := os.WriteFile("/proc/sys/net/ipv6/conf/default/disable_ipv6", []byte("1"), 0)
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, "ip", "-n", space, "link", "add", device, "type", "veth", "peer", "name", peer)
	run(t, "ip", "-n", space, "link", "set", peer, "up")
	run(t, "ip", "-n", space, "link", "set", device, "up")
}

// loses makes a device send 40 packets that its peer drops, because no protocol handler takes
// them.
func loses(t *testing.T, space, from string) {
	t.Helper()
	err := netns.Do("/run/netns/"+space, func() error {
		var device *net.Interface
		ready := within10s(func() bool { // it has no queue before the kernel saw its carrier
			var err error
			device, err = net.InterfaceByName(from)
			return err == nil && device.Flags&net.FlagRunning != 0
		})
		if !ready {
			return fmt.Errorf("%s has no carrier", from)
		}
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		frame := append(make([]byte, 12), 0x88, 0xb5) // ETH_P_802_EX1
		copy(frame, "\xff\xff\xff\xff\xff\xff")
		frame = append(frame, make([]byte, 46)...)
		for range lostAtATime {
			if err := unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: device.Index}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

const lostAtATime = 40

// TestDevicesKeepTheirPast: what a device lost before the recording, or before it was
// moved or renamed, is not reported as loss; later losses are, in any namespace. The counters
// of a device that is created during the recording start from 0.
func TestDevicesKeepTheirPast(t *testing.T) {
	labtest.NeedRoot(t)
	const n = lostAtATime
	for _, test := range []struct {
		name string
		do   func(l *losses, a, b string) // with the device "dwold" in a, which lost n, and its peer "dwpeer"
		want map[string]map[string]uint64 // by device
	}{
		{"stays", func(*losses, string, string) {}, nil},
		{"loses more", func(l *losses, a, _ string) { loses(l.t, a, "dwpeer") },
			map[string]map[string]uint64{"dwold": {"rx_dropped": n}}},
		{"renamed", func(l *losses, a, _ string) {
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "name", "dwnew")
			l.read()
			loses(l.t, a, "dwpeer")
		}, map[string]map[string]uint64{"dwnew": {"rx_dropped": n}}},
		{"two change names", func(l *losses, a, _ string) {
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "name", "dwx")
			run(l.t, "ip", "-n", a, "link", "set", "dwpeer", "name", "dwold")
			run(l.t, "ip", "-n", a, "link", "set", "dwx", "name", "dwpeer")
		}, nil},
		{"moved", func(l *losses, a, b string) {
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "netns", b)
			run(l.t, "ip", "-n", b, "link", "set", "dwold", "up")
			loses(l.t, a, "dwpeer")
		}, map[string]map[string]uint64{"dwold": {"rx_dropped": n}}},
		{"moved to where its index is taken, and renamed", func(l *losses, a, b string) {
			newPair(l.t, b, "dwx", "dwy") // takes the same indexes
			l.read()
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "netns", b, "name", "dwnew")
		}, nil},
		{"moved and back", func(l *losses, a, b string) {
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "netns", b)
			l.read()
			run(l.t, "ip", "-n", b, "link", "set", "dwold", "netns", a)
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "up")
			l.read()
			loses(l.t, a, "dwpeer")
		}, map[string]map[string]uint64{"dwold": {"rx_dropped": n}}},
		{"moved out of a namespace that ends", func(l *losses, a, b string) {
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "netns", b)
			run(l.t, "ip", "-n", a, "link", "set", "dwpeer", "netns", b)
			run(l.t, "ip", "netns", "del", a)
		}, nil},
		{"moved to a namespace that is found later", func(l *losses, a, _ string) {
			hidden := hide(l.t)
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "netns", fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), hidden.Fd()))
			l.read()
			l.read()
			show(l.t, hidden)
		}, nil},
		{"comes out of a namespace that is not seen", func(l *losses, a, b string) {
			hidden := hide(l.t)
			place := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), hidden.Fd())
			run(l.t, "ip", "-n", a, "link", "set", "dwold", "netns", place)
			l.reader, l.left = newLosses(l.t).reader, nil // which never saw it
			run(l.t, "nsenter", "--net="+place, "ip", "link", "set", "dwold", "netns", b)
		}, nil},
		{"born", func(l *losses, _, b string) {
			newPair(l.t, b, "dwborn", "dwmate")
			loses(l.t, b, "dwmate")
		}, map[string]map[string]uint64{"dwborn": {"rx_dropped": n}}},
		{"born in a new namespace", func(l *losses, _, _ string) {
			c := newSpaces(l.t, "c")[0]
			newPair(l.t, c, "dwborn", "dwmate")
			loses(l.t, c, "dwmate")
		}, map[string]map[string]uint64{"dwborn": {"rx_dropped": n}}},
		{"born, then moved", func(l *losses, a, b string) {
			newPair(l.t, a, "dwborn", "dwmate")
			loses(l.t, a, "dwmate")
			l.read()
			run(l.t, "ip", "-n", a, "link", "set", "dwborn", "netns", b)
		}, map[string]map[string]uint64{"dwborn": {"rx_dropped": n}}},
		{"born and moved to a new namespace", func(l *losses, a, _ string) {
			newPair(l.t, a, "dwborn", "dwmate")
			loses(l.t, a, "dwmate")
			run(l.t, "ip", "-n", a, "link", "set", "dwborn", "netns", newSpaces(l.t, "c")[0])
		}, map[string]map[string]uint64{"dwborn": {"rx_dropped": n}}},
		{"born and moved to an old namespace between two readings", func(l *losses, a, b string) {
			newPair(l.t, a, "dwborn", "dwmate")
			loses(l.t, a, "dwmate")
			run(l.t, "ip", "-n", a, "link", "set", "dwborn", "netns", b) // as from one that is not seen
		}, nil},
		{"recreated with the same address", func(l *losses, a, _ string) {
			run(l.t, "ip", "-n", a, "link", "del", "dwold")
			newPair(l.t, a, "dwold", "dwpeer")
			loses(l.t, a, "dwpeer")
		}, map[string]map[string]uint64{"dwold": {"rx_dropped": n}}},
		{"namespace recreated", func(l *losses, a, _ string) {
			run(l.t, "ip", "netns", "del", a)
			run(l.t, "ip", "netns", "add", a)
			newPair(l.t, a, "dwold", "dwpeer")
			loses(l.t, a, "dwpeer")
		}, map[string]map[string]uint64{"dwold": {"rx_dropped": n}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			spaces := newSpaces(t, "a", "b")
			newPair(t, spaces[0], "dwold", "dwpeer")
			loses(t, spaces[0], "dwpeer")
			l := newLosses(t)
			l.read()
			test.do(l, spaces[0], spaces[1])
			l.read()
			l.read()
			got := map[string]map[string]uint64{}
			for _, device := range []string{"dwold", "dwnew", "dwpeer", "dwborn", "dwmate"} {
				if moved := l.of(device); len(moved) > 0 {
					got[device] = moved
				}
			}
			if d := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// hide makes a namespace that nothing but an open file holds.
func hide(t *testing.T) *os.File {
	t.Helper()
	name := newSpaces(t, "hidden")[0]
	file, err := os.Open("/run/netns/" + name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	run(t, "ip", "netns", "del", name)
	return file
}

// show gives a namespace that was hidden a name, for the rest of the test.
func show(t *testing.T, hidden *os.File) {
	t.Helper()
	name := fmt.Sprintf("dw-shown-%d", os.Getpid())
	path := "/run/netns/" + name
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() }) // or remove it
	if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", hidden.Fd()), path, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
}

// TestZerosAreNotTold: when a namespace appears, counters other than 0 are reported, and one
// counter that shows that it is read. A counter that is 0 is reported once it moves.
func TestZerosAreNotTold(t *testing.T) {
	labtest.NeedRoot(t)
	l := newLosses(t)
	space := newSpaces(t, "a")[0]
	newPair(t, space, "dwborn", "dwmate")
	of := func(e *event.Counters) (names []string) {
		for _, r := range e.Readings {
			if r.Netns.Name == space {
				names = append(names, r.Device+" "+r.Name)
			}
		}
		return names
	}
	if d := cmp.Diff([]string{"lo rx_errors"}, of(l.read())); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	loses(t, space, "dwmate")
	if d := cmp.Diff([]string{"dwborn rx_dropped"}, of(l.read())); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	run(t, "ip", "netns", "del", space)
	var gone []string
	for _, c := range l.read().Gone {
		if c.Netns.Name == space {
			gone = append(gone, c.Device+" "+c.Name)
		}
	}
	if d := cmp.Diff([]string{"lo rx_errors", "dwborn rx_dropped"}, gone); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}
