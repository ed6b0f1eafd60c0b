// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"maps"
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

func prepare(t *testing.T, scenario string) *lab.Scene {
	t.Helper()
	for _, s := range lab.Scenarios() {
		if s.Name == scenario {
			scene, err := s.Prepare()
			labtest.Need(t, err)
			closeAfter(t, scene.Close)
			return scene
		}
	}
	t.Fatalf("no scenario %s", scenario)
	return nil
}

func closeAfter(t *testing.T, closer func() error) {
	t.Cleanup(func() {
		if err := closer(); err != nil {
			t.Error(err)
		}
	})
}

// inhabit has a process live in each namespace, by which it can be found.
func inhabit(t *testing.T, net *lab.Net) {
	t.Helper()
	for _, h := range []*lab.Host{net.Tx, net.Rx} {
		inhabitHost(t, h)
	}
}

// inhabitHost returns a function that has the process end; it ends with the test anyway.
func inhabitHost(t *testing.T, h *lab.Host) (leave func()) {
	t.Helper()
	process := exec.Command(os.Args[0], "-test.run", "^$")
	process.Env = append(os.Environ(), inhabitantVariable+"=1")
	life, err := process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Do(process.Start); err != nil {
		t.Fatal(err)
	}
	leave = func() {
		life.Close()
		_ = process.Wait() // once it ended
	}
	t.Cleanup(leave)
	return leave
}

// inhabitantVariable makes this program wait until its input ends.
const inhabitantVariable = "DROPWATCH_INHABITANT"

func TestMain(m *testing.M) {
	if os.Getenv(inhabitantVariable) != "" {
		_, _ = os.Stdin.Read(make([]byte, 1)) // returns at the end
		return
	}
	os.Exit(m.Run())
}

// testReader is a reader that belongs to a test.
type testReader struct {
	*Reader
	t *testing.T
}

func newReader(t *testing.T) testReader {
	t.Helper()
	r, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	return testReader{r, t}
}

// counters reads those of the namespaces of a network, or of all if it is nil.
func (r testReader) counters(net *lab.Net) map[event.Counter]uint64 {
	r.t.Helper()
	readings, err := r.Read()
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[event.Counter]uint64{}
	for _, reading := range readings {
		if net == nil || reading.Netns.Inode == net.Tx.Netns || reading.Netns.Inode == net.Rx.Netns {
			if _, twice := all[reading.Counter]; twice {
				r.t.Errorf("two readings of %+v", reading.Counter)
			}
			all[reading.Counter] = reading.Value
		}
	}
	if net != nil && len(all) == 0 {
		r.t.Fatalf("no counters of the namespaces; %q", r.Notes())
	}
	return all
}

// difference returns the changes of the counters that changed.
func difference(before, after map[event.Counter]uint64) map[event.Counter]uint64 {
	moved := maps.Clone(after)
	maps.DeleteFunc(moved, func(c event.Counter, v uint64) bool { return v == before[c] })
	for c := range moved {
		moved[c] -= before[c]
	}
	return moved
}

// datagrams sends datagrams to a closed port.
func datagrams(to *lab.Host, n int) error {
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	for range n {
		if _, err := conn.WriteToUDP([]byte("x"), &net.UDPAddr{IP: to.Addr4.AsSlice(), Port: 9}); err != nil {
			return err
		}
	}
	return nil
}

// program returns an XDP program that drops every packet.
func program(t *testing.T) *ebpf.Program {
	t.Helper()
	const xdpDrop = 1
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.XDP, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, xdpDrop), asm.Return()},
	})
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, p.Close)
	return p
}

func newNetwork(t *testing.T) *lab.Net {
	t.Helper()
	network, err := lab.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	closeAfter(t, network.Close)
	return network
}

func inside(t *testing.T, h *lab.Host, f func() error) {
	t.Helper()
	if err := h.Do(f); err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, device string) netlink.Link {
	t.Helper()
	link, err := netlink.LinkByName(device)
	if err != nil {
		t.Fatal(err)
	}
	return link
}
