// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAt(t *testing.T) {
	for name, test := range map[string]struct {
		reason, function string
		class            Class
	}{
		"elsewhere":           {"NO_SOCKET", "tcp_v4_rcv", ClassPeerError},
		"without symbols":     {"NO_SOCKET", "", ClassPeerError},
		"at a place":          {"NO_SOCKET", "ping_rcv", ClassBenign},
		"a compiler's suffix": {"NO_SOCKET", "ping_rcv.cold", ClassBenign},
		"another reason":      {"SOCKET_RCVBUFF", "ping_rcv", ClassLoss},
		"an unknown reason":   {"1234", "ping_rcv", ClassUnknown},
		"a part":              {"NOT_SPECIFIED", "skb_release_data", ClassPart},
		"part of a drop":      {"NO_SOCKET", "skb_release_data.isra.0", ClassPart},
		"a counter":           {"rx_missed_errors", "[nic] eth0", ClassLoss},
	} {
		t.Run(name, func(t *testing.T) {
			if got := At(test.reason, test.function); got.Class != test.class || got.Name != test.reason {
				t.Errorf("%s, %s; want %s", got.Name, got.Class, test.class)
			}
		})
	}
	if diff := cmp.Diff(Lookup("NO_SOCKET"), At("NO_SOCKET", "tcp_v4_rcv")); diff != "" {
		t.Errorf("elsewhere (-want +got):\n%s", diff)
	}
}

// TestAtCounters has a place take counters away, and keep what it does not mention.
func TestAtCounters(t *testing.T) {
	if got := At("NO_SOCKET", "ping_rcv").Counters; len(got) > 0 {
		t.Errorf("a ping reply moves %v", got)
	}
}

// TestPlaces holds the rows to the rules of the catalogue.
func TestPlaces(t *testing.T) {
	sourced := regexp.MustCompile(`(net|drivers)/[a-z0-9_/-]+\.[ch]\b.*\d\.\d`)
	function := regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	taken := map[at]bool{}
	for _, p := range places {
		here := p.reason + " at " + strings.Join(p.functions, ", ")
		reason := Lookup(p.reason)
		if !reason.Catalogued() || canonical(p.reason) != p.reason {
			t.Errorf("%s: no such reason", here)
		}
		if !sourced.MatchString(p.source) {
			t.Errorf("%s: source %q has no file or no release", here, p.source)
		}
		if !slices.Contains(Classes(), p.class) || p.layer != "" && !slices.Contains(Layers(), p.layer) {
			t.Errorf("%s: class %q, layer %q", here, p.class, p.layer)
		}
		if n := len(p.meaning); n == 0 || n > 160 || p.meaning == reason.Meaning {
			t.Errorf("%s: meaning of %d bytes, or that of the reason", here, n)
		}
		if len(p.check) > 240 || len(p.change) > 240 {
			t.Errorf("%s: check of %d bytes, change of %d", here, len(p.check), len(p.change))
		}
		if benign := p.class == ClassBenign; benign != (p.check == "") || benign && p.change != "" {
			t.Errorf("%s: %s, but check %q and change %q", here, p.class, p.check, p.change)
		}
		if (p.class == ClassLoss || p.class == ClassPolicy) && p.change == "" {
			t.Errorf("%s: %s, and nothing to change", here, p.class)
		}
		if len(p.functions) == 0 {
			t.Errorf("%s: at no function", here)
		}
		for _, f := range p.functions {
			if key := (at{p.reason, f}); taken[key] || !function.MatchString(f) {
				t.Errorf("%s: function %q, which cannot be or is there twice", here, f)
			} else {
				taken[key] = true
			}
		}
	}
}

// TestPlacesOf has every place found by its reason, and by each spelling of it.
func TestPlacesOf(t *testing.T) {
	if len(Places("OTHERHOST")) != 0 {
		t.Error("OTHERHOST has places")
	}
	n := 0
	for _, info := range All() {
		for _, p := range Places(info.Name) {
			n++
			for _, f := range p.Functions {
				if diff := cmp.Diff(p.Info, At(info.Name, f)); diff != "" {
					t.Errorf("%s at %s (-place +at):\n%s", info.Name, f, diff)
				}
			}
		}
	}
	if n < len(places) {
		t.Errorf("%d places found of %d", n, len(places))
	}
}

// TestVague has a place that is a matter of the kernel, and one of the packet too.
func TestVague(t *testing.T) {
	none, early, late := &Names{}, newNames(map[uint32]string{1: NotSpecified, 2: "TCP_CLOSE", 3: "IP_RPFILTER"}, nil),
		newNames(map[uint32]string{1: NotSpecified, 2: "TCP_CLOSE", 3: "IP_RPFILTER", 4: "IP_LOCALNET"}, nil)
	for name, test := range map[string]struct {
		names    *Names
		function string
		to       Audience
		want     bool
	}{
		"no place":                  {none, "tcp_ack", One, false},
		"a place without condition": {none, "stp_pdu_rcv", One, false},
		"no such word":              {none, "tcp_v4_rcv", One, true},
		"the word":                  {early, "tcp_v4_rcv.cold", One, false},
		"no word, a group":          {none, "ip_rcv_finish_core", Group, true},
		"one word, no group":        {early, "ip_rcv_finish_core", One, true},
		"one word, a group":         {early, "ip_rcv_finish_core", Group, false},
		"the other word":            {late, "ip_rcv_finish_core", One, false},
		"a group at a queue":        {late, "__dev_queue_xmit", Group, true},
		"neighbours at a queue":     {late, "__dev_queue_xmit", Neighbours, false},
		"neighbours are a group":    {early, "ip_rcv_finish_core", Neighbours, false},
		"a word it lacks":           {early, "tcp_validate_incoming", One, false},
	} {
		t.Run(name, func(t *testing.T) {
			reason := NotSpecified
			switch test.function {
			case "tcp_validate_incoming":
				reason = "TCP_INVALID_SEQUENCE"
			case "__dev_queue_xmit":
				reason = "QDISC_DROP"
			}
			if got := test.names.Vague(reason, test.function, test.to); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
	if !Conditional(NotSpecified, "tcp_v4_rcv") || Conditional(NotSpecified, "stp_pdu_rcv") || Conditional(NotSpecified, "tcp_ack") {
		t.Error("what depends on the kernel is not what Conditional says")
	}
}
