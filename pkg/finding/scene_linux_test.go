// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// tryCommands runs a fix, and what undoes it.
func tryCommands(t *testing.T, f Finding, network *lab.Net, before node.State) {
	t.Helper()
	t.Cleanup(func() { bash(t, f.Undo) }) // also when the test fails in between
	bash(t, f.Fix)
	if cmp.Equal(before, state(t, network), sameState()) {
		t.Errorf("%q changed nothing", f.Fix)
	}
	bash(t, f.Undo)
	if diff := cmp.Diff(before, state(t, network), sameState()); diff != "" {
		t.Errorf("%q left -before +after\n%s", f.Undo, diff)
	}
}

// sameState compares settings, not what goes on by itself.
func sameState() cmp.Option {
	return cmp.Options{
		cmpopts.IgnoreFields(node.State{}, "Cgroups", "Neighbours", "Notes"),
		cmpopts.IgnoreFields(node.Link{}, "RxPackets"),
		cmpopts.IgnoreMapEntries(func(name, _ string) bool { return name == conntrackCount }),
	}
}

func bash(t *testing.T, commands []string) {
	t.Helper()
	for _, command := range commands {
		if output, err := exec.Command("bash", "-c", command).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", command, err, output)
		}
	}
}

// state reads that of the machine and of a network, without others' namespaces, which come
// and go.
func state(t *testing.T, network *lab.Net) node.State {
	t.Helper()
	sources, err := node.LiveSources()
	check(t, err)
	state := node.ReadState(sources)
	own := state.Namespaces[0].Netns.Inode
	state.Namespaces = slices.DeleteFunc(state.Namespaces, func(ns node.Namespace) bool {
		return !slices.Contains([]uint32{own, network.Tx.Netns, network.Rx.Netns}, ns.Netns.Inode)
	})
	return state
}

func prepare(t *testing.T, name string) *lab.Scene {
	t.Helper()
	all := lab.Scenarios()
	i := slices.IndexFunc(all, func(s lab.Scenario) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no scenario %s", name)
	}
	scene, err := all[i].Prepare()
	labtest.Need(t, err)
	closeAfter(t, scene)
	inhabit(t, scene.Net())
	return scene
}

func closeAfter(t *testing.T, what interface{ Close() error }) {
	t.Cleanup(func() {
		if err := what.Close(); err != nil {
			t.Error(err)
		}
	})
}

// inhabit keeps a process in each of a network's namespaces, by which they are found.
func inhabit(t *testing.T, network *lab.Net) {
	t.Helper()
	for _, h := range []*lab.Host{network.Tx, network.Rx} {
		resident := exec.Command("cat")
		input, err := resident.StdinPipe()
		check(t, err)
		check(t, h.Do(resident.Start))
		t.Cleanup(func() {
			input.Close()
			_ = resident.Wait() // its input ended
		})
	}
}
