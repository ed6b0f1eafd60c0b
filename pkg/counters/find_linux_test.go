// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
)

// TestNamedNetns has a namespace with a name and no process.
func TestNamedNetns(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	name := nameNetns(t, network.Rx)
	r := newReader(t)
	read := func() map[event.Counter]uint64 { return r.counters(network) }
	before := read()
	const n = 5
	inside(t, network.Tx, func() error { return datagrams(network.Rx, n) })
	moved := difference(before, read())
	counter := protocolCounter(network.Rx, "UdpNoPorts")
	counter.Netns.Name = name
	if moved[counter] != n {
		t.Errorf("%d drops moved %v", n, moved)
	}
	device := deviceCounter(network.Rx, event.CounterLink, "rx_dropped", "")
	device.Netns.Name = name
	if _, ok := before[device]; !ok {
		t.Errorf("no counters of %s in %s", network.Rx.Device, name)
	}
}

// nameNetns names a namespace as ip-netns does, for the time of the test.
func nameNetns(t *testing.T, h *lab.Host) string {
	t.Helper()
	name := fmt.Sprintf("dropwatch-test-%d", os.Getpid())
	path := filepath.Join("/run/netns", name)
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	closeAfter(t, func() error { return os.Remove(path) })
	inside(t, h, func() error { return unix.Mount("/proc/thread-self/ns/net", path, "", unix.MS_BIND, "") })
	closeAfter(t, func() error { return unix.Unmount(path, unix.MNT_DETACH) })
	return name
}

// TestNetnsComeAndGo: a namespace is read from when it is found until its last process
// ends. One process ending among others changes nothing.
func TestNetnsComeAndGo(t *testing.T) {
	labtest.NeedRoot(t)
	r := newReader(t)
	network := newNetwork(t)
	first, second := inhabitHost(t, network.Rx), inhabitHost(t, network.Rx)
	if err := r.find(); err != nil {
		t.Fatal(err)
	}
	has := func() bool {
		return slices.ContainsFunc(r.spaces, func(s *space) bool { return s.Inode == network.Rx.Netns })
	}
	if all := r.counters(network); !has() || all[protocolCounter(network.Rx, "UdpNoPorts")] != 0 {
		t.Errorf("not found: %d counters", len(all))
	}
	first()
	if r.counters(nil); !has() {
		t.Error("forgotten while a process is in it")
	}
	second()
	if r.counters(nil); has() {
		t.Error("still there when its last process has gone")
	}
}

// TestOwnNetnsAlone: without privileges only the own namespace is read, and a note says why
// the others are not.
func TestOwnNetnsAlone(t *testing.T) {
	own, err := netns.Inode("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[event.CounterSource]bool{}
	for counter := range newReader(t).counters(nil) {
		if counter.Netns.Inode == own || counter.Netns.Inode == 0 {
			sources[counter.Source] = true
		}
	}
	for _, source := range []event.CounterSource{event.CounterLink, event.CounterSoftnet, event.CounterProtocol} {
		if !sources[source] {
			t.Errorf("no %s counters of our own namespace", source)
		}
	}
}

// TestMissingIsNoted: counters that cannot be read have no readings, and one note.
func TestMissingIsNoted(t *testing.T) {
	labtest.NeedRoot(t)
	network := newNetwork(t)
	inhabit(t, network)
	r := newReader(t)
	r.memory.files.root = os.DirFS(t.TempDir())
	for range 2 {
		for counter := range r.counters(network) {
			if counter.Source == event.CounterProtocol || counter.Source == event.CounterSoftnet {
				t.Errorf("read from nowhere: %+v", counter)
			}
		}
	}
	notes := r.Notes()
	if unique := slices.Compact(slices.Sorted(slices.Values(notes))); len(unique) != len(notes) {
		t.Errorf("noted twice: %q", notes)
	}
	want := "read softnet counters: open proc/self/net/softnet_stat: no such file or directory"
	if !slices.Contains(notes, want) {
		t.Errorf("notes %q, want %q", notes, want)
	}
}

func BenchmarkCounterRead(b *testing.B) {
	r, err := NewReader()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		readings, err := r.Read()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(readings)), "readings/op")
	}
	b.ReportMetric(float64(len(r.spaces)), "namespaces/op")
}

// TestNothingHeld: a namespace ends with its last user, though its counters were read: its
// end of a pair is gone, which takes the other end along.
func TestNothingHeld(t *testing.T) {
	labtest.NeedRoot(t)
	name := fmt.Sprintf("dropwatch-test-%d", os.Getpid())
	run(t, "ip", "netns", "add", name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() }) // if the test ended early
	run(t, "ip", "link", "add", "dwheld", "type", "veth", "peer", "name", "dwholder", "netns", name)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", "dwheld").Run() })
	r := newReader(t)
	read := func() (found bool) {
		for counter := range r.counters(nil) {
			found = found || counter.Netns.Name == name && counter.Device == "dwholder"
		}
		return found
	}
	if !read() {
		t.Fatalf("no counters of namespace %s: %q", name, r.Notes())
	}
	run(t, "ip", "netns", "del", name)
	if !within10s(func() bool { _, err := os.Stat("/sys/class/net/dwheld"); return os.IsNotExist(err) }) {
		t.Error("the namespace lives on")
	}
	if read() {
		t.Error("counters of a namespace that is gone")
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

// within10s polls a condition for 10 s.
func within10s(done func() bool) bool {
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// BenchmarkCounterChanges measures the reading that a recording makes every second.
func BenchmarkCounterChanges(b *testing.B) {
	c, err := NewChanges()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := c.Read(time.Now()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e, err := c.Read(time.Now())
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(e.Readings)), "changes/op")
	}
	b.ReportMetric(float64(len(c.reader.spaces)), "namespaces/op")
}
