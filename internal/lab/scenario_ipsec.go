// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ipsecScenarios are deaths by IPsec policies of Rx.
func ipsecScenarios() []Scenario {
	return []Scenario{
		{Name: "xfrm-policy-in", Doc: "an IPsec policy for incoming packets", prepare: xfrmPolicyIn},
		{Name: "xfrm-policy-out", Doc: "an IPsec policy for outgoing packets, at a router", prepare: xfrmPolicyOut},
	}
}

func xfrmPolicyIn(s *Scene) error {
	s.expect.Reasons = []string{"XFRM_POLICY", "NOT_SPECIFIED"}
	s.expect.Frames = [][]string{{"__udp4_lib_rcv", "udp_rcv"}}
	s.countBy(s.net.Rx, "snmp", "Udp.InErrors")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	err := s.net.Rx.block(&netlink.XfrmPolicy{
		Dst: hostNet(dst.Addr().AsSlice()), Proto: unix.IPPROTO_UDP, DstPort: dstPort, Dir: netlink.XFRM_DIR_IN,
	})
	if err != nil {
		return err
	}
	return s.receives(s.datagrams(src, dst, nil))
}

func xfrmPolicyOut(s *Scene) error {
	s.expect.Reasons = []string{"XFRM_POLICY", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip_forward")
	err := s.net.Rx.block(&netlink.XfrmPolicy{Dst: hostNet(elsewhere4.AsSlice()), Dir: netlink.XFRM_DIR_OUT})
	if err != nil {
		return err
	}
	return s.forward(journey{mtu: 1500})
}

// block adds a policy that blocks what it selects. It goes with the namespace.
func (h *Host) block(policy *netlink.XfrmPolicy) error {
	policy.Src = &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}
	policy.Action = netlink.XFRM_POLICY_BLOCK
	return h.Do(func() error {
		if err := netlink.XfrmPolicyAdd(policy); err != nil {
			return fmt.Errorf("add IPsec policy: %w", lacking(err, unix.EPROTONOSUPPORT))
		}
		return nil
	})
}

// hostNet is the network of one IPv4 address.
func hostNet(addr net.IP) *net.IPNet { return &net.IPNet{IP: addr, Mask: net.CIDRMask(32, 32)} }
