// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// TestLive makes packets die on this kernel. Each time exactly what they died of is found.
// TestCures in cmd/dropwatch has those whose commands end the loss.
func TestLive(t *testing.T) {
	labtest.NeedRoot(t)
	for _, test := range []struct {
		scenario string
		want     []string
	}{
		{"udp-bad-checksum", []string{"warning checksum at rx"}},
		{"unknown-ethertype", []string{"warning device-dropped lab-rx at rx"}}, // where it is not traced
		{"udp-closed-port", nil}, // a lost packet, but of no resource of this node
	} {
		t.Run(test.scenario, func(t *testing.T) {
			scene := prepare(t, test.scenario)
			in, before := Input{Elapsed: time.Second, State: state(t, scene.Net())}, readings(t, scene.Net())
			_, err := scene.Send(t.Context(), 20)
			check(t, err)
			in.Counters = between(before, readings(t, scene.Net()))
			if diff := cmp.Diff(test.want, titles(news(in, before), scene.Net())); diff != "" {
				t.Fatalf("-want +got\n%s", diff)
			}
		})
	}
}

// TestLiveIdle prints what is found on this machine in a second; in namespaces where
// nothing is wrong that is nothing.
func TestLiveIdle(t *testing.T) {
	labtest.NeedRoot(t)
	network, err := lab.NewNet()
	labtest.Need(t, err)
	closeAfter(t, network)
	inhabit(t, network)
	root := node.Root{FS: os.DirFS("/")}
	in, before := Input{Elapsed: time.Second, LoadBefore: root.ReadLoad()}, readings(t, network)
	time.Sleep(in.Elapsed) // what is found below does not depend on how long it takes
	in.Counters, in.LoadAfter, in.State = between(before, readings(t, network)), root.ReadLoad(), state(t, network)
	found := Find(in)
	for _, f := range found {
		t.Logf("%s %s %s: %s %v", f.Severity, f.ID, f.Device, f.Explain, f.Evidence)
	}
	if found := at(found, network); len(found) > 0 {
		t.Errorf("found %+v", found)
	}
}

// news are the findings that are not of losses before a reading, or of what this machine
// is set to.
func news(in Input, first []event.Reading) []Finding {
	old := in
	old.Counters = between(first, first)
	before := Find(old)
	return slices.DeleteFunc(Find(in), func(f Finding) bool {
		return slices.ContainsFunc(before, func(b Finding) bool {
			return b.ID == f.ID && b.Severity == f.Severity && cmp.Equal(b.Evidence, f.Evidence)
		})
	})
}

// at are the findings in a network's namespaces.
func at(found []Finding, network *lab.Net) []Finding {
	return slices.DeleteFunc(slices.Clone(found), func(f Finding) bool {
		return f.Netns.Inode != network.Tx.Netns && f.Netns.Inode != network.Rx.Netns
	})
}

func titles(found []Finding, network *lab.Net) []string {
	var all []string
	for _, f := range found {
		title := strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Severity, f.ID, f.Device))
		switch f.Netns.Inode {
		case network.Tx.Netns:
			title += " at tx"
		case network.Rx.Netns:
			title += " at rx"
		}
		all = append(all, title)
	}
	return all
}
