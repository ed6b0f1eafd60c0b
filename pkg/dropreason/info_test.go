// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTables(t *testing.T) {
	layers, classes := Layers(), Classes()
	used := make(map[Layer]bool)
	names := make(map[string]bool)
	meanings := make(map[string]string)
	for _, info := range slices.Concat(tables()...) {
		if names[info.Name] {
			t.Errorf("%s: listed twice", info.Name)
		}
		names[info.Name] = true
		if !slices.Contains(layers, info.Layer) || !slices.Contains(classes, info.Class) {
			t.Errorf("%s: layer %q, class %q", info.Name, info.Layer, info.Class)
		}
		used[info.Layer] = true
		if n := len(info.Meaning); n == 0 || n > 160 {
			t.Errorf("%s: meaning of %d bytes", info.Name, n)
		}
		if other, ok := meanings[info.Meaning]; ok {
			t.Errorf("%s: means the same as %s", info.Name, other)
		}
		meanings[info.Meaning] = info.Name
	}
	for _, layer := range layers {
		if !used[layer] {
			t.Errorf("layer %s: no reason has it", layer)
		}
	}
}

func TestSpellings(t *testing.T) {
	for _, s := range spellings {
		want := Lookup(s.same)
		if want.Meaning == "" {
			t.Errorf("%s: no such reason as %s", s.name, s.same)
		}
		for _, table := range tables() {
			if slices.ContainsFunc(table, func(i Info) bool { return i.Name == s.name }) {
				t.Errorf("%s: both a reason and a spelling of %s", s.name, s.same)
			}
		}
		want.Name = s.name
		if diff := cmp.Diff(want, Lookup(s.name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
	}
}

// TestKnownKernels holds the catalogue against the names of kernels other than
// the running one, both ways: none is missing and none is misspelt.
func TestKnownKernels(t *testing.T) {
	text, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		name := strings.TrimSpace(line)
		if name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		known[name] = true
		if info := Lookup(name); info.Name != name || info.Meaning == "" {
			t.Errorf("%s: not catalogued: %+v", name, info)
		}
	}
	for name := range catalogue() {
		if !known[name] {
			t.Errorf("%s: no kernel has this reason", name)
		}
	}
}

func TestLookupUnknown(t *testing.T) {
	for _, name := range []string{"", "1234", "openvswitch/3", "NO_SUCH_REASON", "SKB_DROP_REASON_NO_SOCKET"} {
		want := Info{Name: name, Layer: LayerUnknown, Class: ClassUnknown}
		if diff := cmp.Diff(want, Lookup(name)); diff != "" {
			t.Errorf("Lookup(%q) (-want +got):\n%s", name, diff)
		}
	}
}

// TestClassification holds what a network engineer takes for granted.
func TestClassification(t *testing.T) {
	tests := []struct {
		name  string
		layer Layer
		class Class
	}{
		{"NOT_SPECIFIED", LayerUnknown, ClassUnknown},
		{"FULL_RING", LayerDriver, ClassLoss},
		{"CPU_BACKLOG", LayerDevice, ClassLoss},
		{"UNHANDLED_PROTO", LayerDevice, ClassBenign},
		{"BPF_CGROUP_EGRESS", LayerBPF, ClassPolicy},
		{"TC_INGRESS", LayerTC, ClassPolicy},
		{"QDISC_DROP", LayerQdisc, ClassLoss},
		{"QDISC_OVERLIMIT", LayerQdisc, ClassLoss},
		{"QDISC_DROP_OVERLIMIT", LayerQdisc, ClassLoss},
		{"NETFILTER_DROP", LayerNetfilter, ClassPolicy},
		{"BRIDGE_INGRESS_STP_STATE", LayerBridge, ClassPolicy},
		{"OVS_DROP_METER", LayerBridge, ClassPolicy},
		{"VXLAN_VNI_NOT_FOUND", LayerTunnel, ClassPeerError},
		{"OTHERHOST", LayerIP, ClassBenign},
		{"IP_CSUM", LayerIP, ClassPeerError},
		{"IP_RPFILTER", LayerIP, ClassPolicy},
		{"DUP_FRAG", LayerIP, ClassBenign},
		{"NEIGH_QUEUEFULL", LayerNeighbour, ClassLoss},
		{"XFRM_POLICY", LayerSecurity, ClassPolicy},
		{"TCP_CSUM", LayerTCP, ClassPeerError},
		{"TCP_OLD_DATA", LayerTCP, ClassBenign},
		{"TCP_LISTEN_OVERFLOW", LayerTCP, ClassLoss},
		{"TCP_MD5FAILURE", LayerTCP, ClassPeerError},
		{"UDP_CSUM", LayerUDP, ClassPeerError},
		{"NO_SOCKET", LayerSocket, ClassPeerError},
		{"SOCKET_RCVBUFF", LayerSocket, ClassLoss},
		{"SOCKET_CLOSE", LayerSocket, ClassBenign},
		{"NOMEM", LayerCore, ClassLoss},
		{"RX_DROP_U_DUP", LayerWireless, ClassBenign},
		{"CAN_RX_INVALID_FRAME", LayerCAN, ClassPeerError},
	}
	for _, tt := range tests {
		info := Lookup(tt.name)
		if info.Layer != tt.layer || info.Class != tt.class {
			t.Errorf("%s: %s, %s; want %s, %s", tt.name, info.Layer, info.Class, tt.layer, tt.class)
		}
	}
}
