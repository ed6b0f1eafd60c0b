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

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestNeighbourTable: a table that has no room for more neighbours is found, and the commands
// give it some. The loss itself ends by and by, as the kernel makes room.
func TestNeighbourTable(t *testing.T) {
	labtest.NeedRoot(t)
	network := prepare(t, "neighbour-failed").Net() // one that resolves neighbours
	in, before := Input{Elapsed: time.Second}, readings(t, network)
	fullNeighbours(t, network)
	in.Counters, in.State = between(before, readings(t, network)), state(t, network)
	found := Find(in)
	i := slices.IndexFunc(found, func(f Finding) bool { return f.ID == "neighbour-table" })
	if i < 0 {
		t.Fatalf("found %+v", found)
	}
	tryCommands(t, found[i], network, in.State)
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
