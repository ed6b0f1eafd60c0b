// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"io"
	"net/netip"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// script is a Source that yields what it holds.
type script struct {
	meta   event.Meta
	events []event.Event
	err    error // at the end; nil: io.EOF
}

func (s *script) Meta() *event.Meta { return &s.meta }

func (s *script) Next() (event.Event, error) {
	if len(s.events) == 0 {
		if s.err != nil {
			return nil, s.err
		}
		return nil, io.EOF
	}
	e := s.events[0]
	s.events = s.events[1:]
	return e, nil
}

// The sample has a policy drop under a storm, sampled, and a rare closed port.
var (
	start = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

	nft    = frame(0, "nft_do_chain")
	hook   = frame(1, "nf_hook_slow")
	poll   = frame(2, "__napi_poll")
	action = frame(3, "net_rx_action")
	send   = frame(4, "__x64_sys_sendto")
	entry  = frame(5, "do_syscall_64")
	entry2 = frame(6, "entry_SYSCALL_64_after_hwframe")
	port   = frame(7, "udp_unicast_rcv_skb")

	softirqStack = &event.Stack{ID: 0, Frames: []*event.Frame{nft, hook, poll, action, send, entry, entry2}}
	processStack = &event.Stack{ID: 1, Frames: []*event.Frame{nft, hook, send, entry, entry2}}
	portStack    = &event.Stack{ID: 2, Frames: []*event.Frame{port, poll, action}}

	storm = &event.Cell{
		ID: 0, Reason: event.Reason{Code: 12, Name: "NETFILTER_DROP"}, Location: nft,
		Device: event.Device{Index: 2, Name: "eth0"}, Netns: event.Netns{Inode: 1, Name: "host"},
		Ethertype: event.EthertypeIPv4, Protocol: 17,
	}
	rare = &event.Cell{
		ID: 1, Reason: event.Reason{Code: 3, Name: "NO_SOCKET"}, Location: port,
		Device: event.Device{Index: 1, Name: "lo"}, Netns: event.Netns{Inode: 1, Name: "host"},
		Ethertype: event.EthertypeIPv6, Protocol: 17,
	}
	unseen = &event.Cell{
		ID: 2, Reason: event.Reason{Code: 71, Name: "CPU_BACKLOG"}, Location: frame(8, "enqueue_to_backlog"),
		Device: event.Device{Index: 9}, Ethertype: event.EthertypeARP,
	}
	overflow = &event.Cell{ID: 3, Location: &event.Frame{ID: 9}, Overflow: true}
)

func frame(id int, symbol string) *event.Frame {
	return &event.Frame{
		ID: id, Addr: 0xffffffff81000010 + event.Address(id)*0x100, Symbol: symbol, Offset: 0x10, Module: "vmlinux",
	}
}

func sampled(c *event.Cell, stack *event.Stack, context event.Context, comm string, drops uint64, sport uint16) *event.Drop {
	return &event.Drop{
		Time: time.Millisecond, Cell: c, Stack: stack, Context: context, Drops: drops, Len: 100,
		Task: event.Task{PID: 42, TGID: 40, Comm: comm}, CPU: 1,
		Packet: event.Packet{
			Version: 4, Protocol: 17, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"),
			SrcPort: sport, DstPort: 53,
		},
	}
}

// sample is a source with 1000 policy drops of 100 bytes, of which samples tell of
// 990, 2 drops at closed ports, all unwound, and 8 that no sample tells of.
func sample() *script {
	none := uint64(0)
	loss := event.Loss{RingFull: 1, Missed: &none}
	totals := event.Totals{Drops: 1010, Bytes: 101_000, Sampled: 5, Read: 5}
	return &script{
		meta: event.Meta{
			Version: "0.1.0", Kernel: "6.18.0", BuildID: "00ff", Arch: "amd64", Host: "node7", Start: start,
			Text: event.Range{Start: 0xffffffff81000000, End: 0xffffffff82000000}, Command: []string{"dropwatch", "record"},
		},
		events: []event.Event{
			sampled(storm, softirqStack, event.ContextSoftirq, "curl", 600, 4000),
			sampled(storm, processStack, event.ContextProcess, "a;b", 290, 4001),
			sampled(storm, nil, event.ContextSoftirq, "curl", 100, 4000),
			sampled(rare, portStack, event.ContextIdle, "swapper/1", 1, 4000),
			sampled(rare, portStack, event.ContextIdle, "swapper/1", 1, 4000),
			&event.Tick{
				Time: time.Second, Totals: totals, Loss: loss,
				Counts: []event.Count{
					{Cell: storm, Drops: 1000, Bytes: 100_000}, {Cell: rare, Drops: 2, Bytes: 200}, {Cell: unseen, Drops: 8, Bytes: 800},
				},
			},
			&event.End{Time: 2 * time.Second, Totals: totals, Loss: loss},
		},
	}
}
