// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestLiveState finds a veth pair between two namespaces that only processes are in, its
// ends' names for each other, and a qdisc's limit.
func TestLiveState(t *testing.T) {
	labtest.NeedRoot(t)
	network, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	live(t, network.Tx)
	live(t, network.Rx)
	err = network.Tx.Do(func() error {
		return exec.Command("tc", "qdisc", "add", "dev", network.Tx.Device, "root", "handle", "7:", "tbf", "rate", "1mbit", "burst", "10000", "limit", "3000").Run()
	})
	if err != nil {
		t.Fatal(err)
	}
	sources, err := LiveSources()
	if err != nil {
		t.Fatal(err)
	}
	state := ReadState(sources)
	t.Log(state.Notes)
	tx, rx := linkOf(t, state, network.Tx), linkOf(t, state, network.Rx)
	if tx.Peer.Name != network.Rx.Device || tx.Peer.Netns.Inode != network.Rx.Netns {
		t.Errorf("%s has peer %+v", tx.Name, tx.Peer)
	}
	if rx.Peer.Name != network.Tx.Device || rx.Peer.Netns.Inode != network.Tx.Netns {
		t.Errorf("%s has peer %+v", rx.Name, rx.Peer)
	}
	if !tx.Up || tx.MTU != 1500 || tx.RPFilter != 0 {
		t.Errorf("%+v", tx)
	}
	want := Qdisc{Kind: "tbf", Handle: "7:", Parent: "root", Limit: 3000, Unit: "bytes", Options: "rate 1000000bit burst 10000"}
	if !slices.Contains(tx.Qdiscs, want) {
		t.Errorf("got qdiscs %+v, want %+v", tx.Qdiscs, want)
	}
	if _, ok := state.Sysctls.Number("net.core.netdev_max_backlog"); !ok || len(state.CPUs) == 0 {
		t.Errorf("got CPUs %v, settings %v", state.CPUs, state.Sysctls)
	}
}

// live keeps a process in a namespace, by which it is found.
func live(t *testing.T, h *lab.Host) {
	t.Helper()
	resident := exec.Command("cat")
	input, err := resident.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Do(resident.Start); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		input.Close()
		_ = resident.Wait() // its input ended
	})
}

func linkOf(t *testing.T, state State, h *lab.Host) Link {
	t.Helper()
	for _, ns := range state.Namespaces {
		if ns.Netns.Inode != h.Netns {
			continue
		}
		if ns.Path == "" || ns.Sysctls["net.core.somaxconn"] == "" {
			t.Errorf("namespace %+v", ns)
		}
		link, ok := ns.Find(h.Device)
		if !ok || link.Peer == nil {
			t.Fatalf("no %s in %+v", h.Device, ns)
		}
		return link
	}
	t.Fatalf("no namespace %d", h.Netns)
	return Link{}
}

// asNobody makes this test program print the state it can read.
const asNobody = "DROPWATCH_STATE_AS_NOBODY"

// TestLiveStateAsNobody: without privileges there is the node's own namespace, and a
// note on the others.
func TestLiveStateAsNobody(t *testing.T) {
	if os.Getenv(asNobody) != "" {
		printState(t)
		return
	}
	labtest.NeedRoot(t)
	program := copyOfThis(t)
	cmd := exec.Command(program, "-test.run", "^TestLiveStateAsNobody$", "-test.v")
	cmd.Env = append(os.Environ(), asNobody+"=1")
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	_, text, _ := strings.Cut(string(output), "state: ")
	var state State
	if err := json.NewDecoder(strings.NewReader(text)).Decode(&state); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if len(state.Namespaces) != 1 || len(state.Namespaces[0].Links) == 0 || state.Namespaces[0].Path != "" {
		t.Errorf("got namespaces %+v", state.Namespaces)
	}
	if _, ok := state.Sysctls.Number("net.core.netdev_budget"); !ok || len(state.CPUs) == 0 || len(state.Neighbours) == 0 {
		t.Errorf("got %+v", state)
	}
	if !slices.ContainsFunc(state.Notes, func(note string) bool { return strings.Contains(note, "permission denied") }) {
		t.Errorf("got notes %q", state.Notes)
	}
	t.Log(state.Notes)
}

func printState(t *testing.T) {
	sources, err := LiveSources()
	if err != nil {
		t.Fatal(err)
	}
	load := Root{sources.Root}.ReadLoad()
	if len(load.CPUs) == 0 || len(load.NetRX) == 0 || len(load.Interrupts) == 0 {
		t.Errorf("got %+v", load)
	}
	text, err := json.Marshal(ReadState(sources))
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("state: " + string(text) + "\n")
}

// copyOfThis puts this program where every user reaches it.
func copyOfThis(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "dropwatch-host")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "host.test")
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	return program
}
