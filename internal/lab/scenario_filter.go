// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// filterScenarios are deaths that somebody configured.
func filterScenarios() []Scenario {
	return []Scenario{
		{Name: "nft-input", Doc: "an nft rule for incoming packets", prepare: nftInput},
		{Name: "nft-output", Doc: "an nft rule for outgoing packets", prepare: nftOutput},
		{Name: "xdp-generic", Doc: "a generic XDP program", prepare: xdpGeneric},
		{Name: "xdp-native", Doc: "an XDP program in the driver of veth", prepare: xdpNative},
		{Name: "tc-ingress", Doc: "a tc program on receive", prepare: tcIngress},
		{Name: "tc-ingress-vlan", Doc: "the same, of frames with a VLAN tag", prepare: tcIngressVLAN},
		{Name: "tc-egress", Doc: "a tc program on transmit", prepare: tcEgress},
		{Name: "cgroup-egress", Doc: "a program of the sender's cgroup", prepare: cgroupEgress},
	}
}

func nftInput(s *Scene) error {
	s.expect.Reasons = []string{"NETFILTER_DROP"}
	s.expect.Frames = [][]string{{"nf_hook_slow", "nft_do_chain"}, {"ip_local_deliver"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	rule, err := s.net.firewall(Input, dstPort)
	if err != nil {
		return err
	}
	s.tally = rule.tally()
	return s.receives(s.datagrams(src, dst, nil))
}

// nftOutput kills packets that have a route but not yet a device.
func nftOutput(s *Scene) error {
	s.expect.Reasons = []string{"NETFILTER_DROP"}
	s.expect.Frames = [][]string{{"nf_hook_slow", "nft_do_chain"}, {"__ip_local_out"}, {"udp_sendmsg"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	rule, err := s.net.firewall(Output, dstPort)
	if err != nil {
		return err
	}
	s.tally = rule.tally()
	s.diesAt(s.net.Tx)
	return s.leaves(s.datagrams(src, dst, unix.EPERM))
}

func xdpGeneric(s *Scene) error {
	s.expect.Reasons = []string{"NOT_SPECIFIED"}
	s.expect.Class = "policy"
	s.expect.Frames = [][]string{{"do_xdp_generic", "netif_receive_generic_xdp"}}
	return s.xdp(unix.XDP_FLAGS_SKB_MODE)
}

// xdpNative kills packets of which veth has made an skb already, other than the drivers of
// hardware: it frees that (veth_xdp_rcv_skb, drivers/net/veth.c).
func xdpNative(s *Scene) error {
	s.expect.Reasons = []string{"NOT_SPECIFIED"}
	s.expect.Class = "policy"
	s.expect.Frames = frames("veth_poll")
	return s.xdp(unix.XDP_FLAGS_DRV_MODE)
}

func (s *Scene) xdp(mode int) error {
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	prog, err := s.program(ebpf.XDP, ebpf.AttachNone, xdpDropPort())
	if err != nil {
		return err
	}
	err = s.net.Rx.Do(func() error { return netlink.LinkSetXdpFdWithFlags(s.net.Rx.link, prog.FD(), mode) })
	if err != nil {
		return fmt.Errorf("attach XDP program to %s: %w", s.net.Rx.Device, err)
	}
	return s.receives(s.datagrams(src, dst, nil))
}

func tcIngress(s *Scene) error {
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	if err := s.dropAtIngress(); err != nil {
		return err
	}
	return s.receives(s.datagrams(src, dst, nil))
}

// tcIngressVLAN kills packets that still bear their tag, which the kernel has moved
// from the frame to the skb.
func tcIngressVLAN(s *Scene) error {
	frame := s.taggedFrame()
	s.expect.VLAN = vlanID
	if err := s.dropAtIngress(); err != nil {
		return err
	}
	return s.wireFrame(frame)
}

func (s *Scene) dropAtIngress() error {
	s.expect.Reasons = []string{"TC_INGRESS"}
	s.expect.Frames = frames("__netif_receive_skb_core")
	s.tally = s.net.Rx.qdiscTally("clsact")
	prog, err := s.program(ebpf.SchedCLS, ebpf.AttachNone, tcDropPort())
	if err != nil {
		return err
	}
	return s.net.Rx.Classify(netlink.HANDLE_MIN_INGRESS, prog)
}

func tcEgress(s *Scene) error {
	s.expect.Reasons = []string{"TC_EGRESS"}
	s.expect.Frames = [][]string{{"__dev_queue_xmit"}, {"udp_sendmsg"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.tally = s.net.Tx.qdiscTally("clsact")
	prog, err := s.program(ebpf.SchedCLS, ebpf.AttachNone, tcDropPort())
	if err != nil {
		return err
	}
	if err := s.net.Tx.Classify(netlink.HANDLE_MIN_EGRESS, prog); err != nil {
		return err
	}
	s.diesAt(s.net.Tx)
	return s.leaves(s.datagrams(src, dst, nil))
}

// leaves has every packet die that fire sends, before fire returns.
func (s *Scene) leaves(fire func() error, err error) error {
	if err != nil {
		return err
	}
	s.each(fire, false)
	return nil
}
