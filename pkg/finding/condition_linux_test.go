// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/lab"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
)

// A condition is something wrong that no scenario of the lab has. make brings it about,
// between the readings of counters.
type condition struct {
	name     string
	make     func(t *testing.T, network *lab.Net)
	want     string // id of the finding
	commands bool   // its commands are tried
}

// TestConditions: each is found.
func TestConditions(t *testing.T) {
	labtest.NeedRoot(t)
	for _, c := range slices.Concat(socketConditions(), tableConditions()) {
		t.Run(c.name, func(t *testing.T) {
			network := prepare(t, "neighbour-failed").Net() // one that resolves neighbours
			in, before := Input{Elapsed: time.Second}, counters(t, network)
			c.make(t, network)
			in.Counters, in.State = between(before, counters(t, network)), state(t, network)
			found := Find(in)
			i := slices.IndexFunc(found, func(f Finding) bool { return f.ID == c.want })
			if i < 0 {
				t.Fatalf("no %s in %+v", c.want, found)
			}
			t.Logf("%+v", found[i])
			if c.commands {
				tryCommands(t, found[i], network, in.State)
			}
		})
	}
}

// global changes a setting of the machine until the test ends.
func global(t *testing.T, name, value string) {
	t.Helper()
	path := filepath.Join("/proc/sys", name)
	old := strings.TrimSpace(text(t, path))
	t.Cleanup(func() {
		if err := os.WriteFile(path, []byte(old), 0); err != nil {
			t.Error(err)
		}
	})
	check(t, os.WriteFile(path, []byte(value), 0))
}

// command runs a program in the namespace of a host.
func command(t *testing.T, h *lab.Host, words ...string) {
	t.Helper()
	check(t, h.Do(func() error {
		output, err := exec.Command(words[0], words[1:]...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %s", words, output)
		}
		return err
	}))
}

// TestTunnel: a VXLAN device does not fit once the device below it has shrunk.
func TestTunnel(t *testing.T) {
	labtest.NeedRoot(t)
	network, err := lab.NewNet()
	labtest.Need(t, err)
	closeAfter(t, network)
	inhabit(t, network)
	command(t, network.Tx, "ip", "link", "add", "vx0", "mtu", "1450", "type", "vxlan", "id", "7", "dstport", "4789", "dev", network.Tx.Device)
	command(t, network.Tx, "ip", "link", "set", "vx0", "up")
	if found := at(Find(Input{State: state(t, network)}), network); len(found) > 0 {
		t.Errorf("found %+v while it fits", found)
	}
	for _, h := range []*lab.Host{network.Tx, network.Rx} {
		command(t, h, "ip", "link", "set", h.Device, "mtu", "1400")
	}
	found := at(Find(Input{State: state(t, network)}), network)
	if diff := cmp.Diff([]string{"info mtu-tunnel vx0 at tx"}, titles(found, network)); diff != "" {
		t.Fatalf("-want +got\n%s", diff)
	}
	bash(t, found[0].Fix)
	if found := at(Find(Input{State: state(t, network)}), network); len(found) > 0 {
		t.Errorf("found %+v after %q", found, found[0].Fix)
	}
}
