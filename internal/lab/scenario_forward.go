// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

// forwardScenarios are deaths on a router: Rx is one, and has packets for
// another network that it would send back over the same wire.
func forwardScenarios() []Scenario {
	return []Scenario{
		{Name: "no-route", Doc: "forwarding to a network there is no route to", prepare: noRoute},
		{Name: "no-route6", Doc: "forwarding to a network there is no route to, IPv6", prepare: noRoute6},
		{Name: "ttl-expired", Doc: "forwarding a packet whose TTL runs out", prepare: ttlExpired},
		{Name: "hop-limit-expired", Doc: "forwarding an IPv6 packet whose hop limit runs out", prepare: hopLimitExpired},
		{Name: "too-big", Doc: "forwarding a packet that exceeds the MTU and must not be fragmented", prepare: tooBig},
		{Name: "too-big6", Doc: "forwarding an IPv6 packet that exceeds the MTU", prepare: tooBig6},
	}
}

func noRoute(s *Scene) error {
	s.expect.Reasons = []string{"IP_INNOROUTES", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip_error")
	s.countBy(s.net.Rx, "netstat", "IpExt.InNoRoutes")
	return s.forward(journey{})
}

func noRoute6(s *Scene) error {
	s.expect.Reasons = []string{"IP_INNOROUTES", "NOT_SPECIFIED"}
	s.expect.Frames = [][]string{{"ip6_pkt_drop", "ip6_pkt_discard"}}
	s.countBy(s.net.Rx, "snmp6", "Ip6InNoRoutes")
	return s.forward(journey{v6: true})
}

func ttlExpired(s *Scene) error {
	s.expect.Reasons = []string{"IP_INHDR", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip_forward")
	s.countBy(s.net.Rx, "snmp", "Ip.InHdrErrors")
	return s.forward(journey{mtu: 1500, ttl: 1})
}

func hopLimitExpired(s *Scene) error {
	s.expect.Reasons = []string{"IP_INHDR", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip6_forward")
	s.countBy(s.net.Rx, "snmp6", "Ip6InHdrErrors")
	return s.forward(journey{v6: true, mtu: 1500, ttl: 1})
}

func tooBig(s *Scene) error {
	s.expect.Reasons = []string{"PKT_TOO_BIG", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip_forward")
	s.countBy(s.net.Rx, "snmp", "Ip.FragFails")
	return s.forward(journey{mtu: 1300, payload: 1400})
}

func tooBig6(s *Scene) error {
	s.expect.Reasons = []string{"PKT_TOO_BIG", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip6_forward")
	s.countBy(s.net.Rx, "snmp6", "Ip6InTooBigErrors")
	return s.forward(journey{v6: true, mtu: 1300, payload: 1400})
}
