// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// TestClasses has a reason that means different things at its locations: an answer to a
// ping of root's, and a packet to a closed port.
func TestClasses(t *testing.T) {
	noSocket := event.Reason{Code: 3, Name: "NO_SOCKET"}
	ping := &event.Cell{ID: 0, Reason: noSocket, Location: &event.Frame{Addr: 1, Symbol: "ping_rcv"}}
	port := &event.Cell{ID: 1, Reason: noSocket, Location: &event.Frame{Addr: 2, Symbol: "__udp4_lib_rcv"}}
	for name, test := range map[string]struct {
		by      string
		fold    bool
		classes map[string]dropreason.Class
		parts   map[dropreason.Class]uint64
		benign  uint64
	}{
		"by reason": {"reason", false, map[string]dropreason.Class{"NO_SOCKET": ""},
			map[dropreason.Class]uint64{dropreason.ClassBenign: 5, dropreason.ClassPeerError: 2}, 0},
		"by reason, folded": {"reason", true, map[string]dropreason.Class{"NO_SOCKET": dropreason.ClassPeerError}, nil, 5},
		"by class": {"class", false,
			map[string]dropreason.Class{"benign": dropreason.ClassBenign, "peer error": dropreason.ClassPeerError}, nil, 0},
		"by location, folded": {"location", true, map[string]dropreason.Class{"__udp4_lib_rcv+0x0": dropreason.ClassPeerError}, nil, 5},
	} {
		t.Run(name, func(t *testing.T) {
			by, err := profile.ParseDimensions(test.by)
			if err != nil {
				t.Fatal(err)
			}
			src := &source{events: []event.Event{
				&event.Tick{Time: time.Second, Counts: []event.Count{{Cell: ping, Drops: 5}, {Cell: port, Drops: 2}}},
				&event.End{Time: time.Second},
			}}
			r, err := Read(src, Options{By: by, Fold: test.fold})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]dropreason.Class{}
			for _, g := range r.Groups {
				got[g.Key[0]] = g.Class
				if diff := cmp.Diff(test.parts, g.Classes); diff != "" {
					t.Errorf("%s (-want +got):\n%s", g.Key, diff)
				}
			}
			if diff := cmp.Diff(test.classes, got); diff != "" || r.Benign.Drops != test.benign {
				t.Errorf("%d benign, want %d (-want +got):\n%s", r.Benign.Drops, test.benign, diff)
			}
			var b bytes.Buffer
			if err := WriteJSON(&b, r); err != nil {
				t.Fatal(err)
			}
			if has := bytes.Contains(b.Bytes(), []byte(`"classes"`)); has != (test.parts != nil) {
				t.Errorf("classes in JSON: %t", has)
			}
		})
	}
}
