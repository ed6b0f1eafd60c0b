// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// TestTagsOut has packets die on their way out with tags as VLAN devices on VLAN devices
// leave them: the outermost one beside the packet, the others in it by then.
func TestTagsOut(t *testing.T) {
	labtest.NeedRoot(t)
	for _, rung := range trace.Rungs() {
		for depth := 1; depth <= 3; depth++ {
			t.Run(fmt.Sprintf("%s/%d", rung, depth), func(t *testing.T) {
				n, err := lab.NewNet()
				labtest.Need(t, err)
				defer n.Close()
				if err := n.Tx.Do(func() error { return tagAndDrop(n.Tx.Device, depth) }); err != nil {
					t.Fatal(err)
				}
				tracer, err := trace.OpenBy(trace.Config{}, rung)
				if err != nil {
					t.Fatal(err)
				}
				const packets = 20
				s := watchBy(t, tracer, func(*seen) {
					if err := sendSegmented(n, packets, 100, 0); err != nil {
						t.Error(err)
					}
				})
				want := event.Packet{HasVLAN: true, VLAN: 10}
				if depth > 1 {
					want.HasInner, want.Inner = true, 20
				}
				needTagged(t, s, n.Tx.Netns, packets, want, n.Rx.Addr4.String())
			})
		}
	}
}

// TestTagsIn sends frames with two tags to a host without VLAN devices: the kernel takes
// off the first one, and knows no protocol for what follows.
func TestTagsIn(t *testing.T) {
	labtest.NeedRoot(t)
	n, err := lab.NewNet()
	labtest.Need(t, err)
	defer n.Close()
	const packets = 20
	s := watch(t, trace.Config{}, func() {
		err := sendFrames(n, func(send func([]byte) error) error {
			packet := []byte{
				0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2, // IPv4
				0, 1, 0, 2, 0, 8, 0, 0, // UDP
			}
			for range packets {
				if err := send(append([]byte{0x88, 0xa8, 0, 10, 0x81, 0, 0x40, 20, 8, 0}, packet...)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	needTagged(t, s, n.Rx.Netns, packets, event.Packet{HasVLAN: true, VLAN: 20}, "10.9.0.2")
}

// needTagged checks that what died in a namespace was counted and sampled as UDP with tags.
func needTagged(t *testing.T, s *seen, netns uint32, packets uint64, want event.Packet, dst string) {
	t.Helper()
	var counted uint64
	for _, c := range s.in(netns) {
		if c.Cell.Ethertype == event.EthertypeIPv4 && c.Cell.Protocol == event.ProtocolUDP {
			counted += c.Drops
		} else {
			t.Errorf("%d drops of %s at %s", c.Drops, c.Cell.Proto(), c.Cell.Location)
		}
	}
	if counted != packets {
		t.Errorf("counted %d of %d drops", counted, packets)
	}
	for i := range s.drops {
		d := &s.drops[i]
		if d.Cell.Netns.Inode != netns {
			continue
		}
		p := d.Packet
		if p.HasVLAN != want.HasVLAN || p.VLAN != want.VLAN || p.HasInner != want.HasInner || p.Inner != want.Inner || p.Dst.String() != dst {
			t.Fatalf("%+v at %s, want %+v", p, d.Cell.Location, want)
		}
	}
}

// tagAndDrop has a device put VLAN tags on what it is to send, 10 outside, 20 behind it and
// so on, and refuse it then.
func tagAndDrop(device string, tags int) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	if err := netlink.QdiscAdd(&netlink.Clsact{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_CLSACT, Handle: netlink.MakeHandle(0xffff, 0),
	}}); err != nil {
		return err
	}
	program := asm.Instructions{asm.Mov.Reg(asm.R6, asm.R1)}
	for tag := tags; tag >= 1; tag-- {
		program = append(program,
			asm.Mov.Reg(asm.R1, asm.R6),
			asm.Mov.Imm(asm.R2, 0x0081), // ETH_P_8021Q in network byte order
			asm.Mov.Imm(asm.R3, int32(10*tag)),
			asm.FnSkbVlanPush.Call())
	}
	refuse, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.SchedCLS, License: "GPL",
		Instructions: append(program, asm.Mov.Imm(asm.R0, int32(netlink.TC_ACT_SHOT)), asm.Return()),
	})
	if err != nil {
		return err
	}
	defer refuse.Close()
	return netlink.FilterAdd(&netlink.BpfFilter{
		FilterAttrs: netlink.FilterAttrs{
			LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_MIN_EGRESS, Handle: 1, Priority: 1, Protocol: unix.ETH_P_ALL,
		},
		Fd: refuse.FD(), Name: "refuse", DirectAction: true,
	})
}

// sendFrames lets do send frames from one end of a net to the other, from their type on.
func sendFrames(n *lab.Net, do func(send func([]byte) error) error) error {
	return n.Tx.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		link, err := net.InterfaceByName(n.Tx.Device)
		if err != nil {
			return err
		}
		addresses := append(append([]byte{}, n.Rx.MAC...), n.Tx.MAC...)
		return do(func(rest []byte) error {
			frame := append(addresses[:12:12], rest...)
			return unix.Sendto(fd, frame, 0, &unix.SockaddrLinklayer{Ifindex: link.Index})
		})
	})
}

// TestVariety has one host send frames of every type, and packets of every protocol: they
// take few cells, nothing is past the room for cells, and what has a name is counted apart.
func TestVariety(t *testing.T) {
	labtest.NeedRoot(t)
	n, err := lab.NewNet()
	labtest.Need(t, err)
	defer n.Close()
	var frames uint64
	s := watch(t, trace.Config{CellsPerCPU: 256}, func() {
		err := sendFrames(n, func(send func([]byte) error) error {
			for ethertype := 0x600; ethertype <= 0xffff; ethertype++ {
				switch ethertype {
				case event.EthertypeIPv4, event.EthertypeIPv6, event.EthertypeARP, event.EthertypeVLAN, event.EthertypeQinQ:
					continue // not for nobody
				}
				frames++
				if err := send(append([]byte{byte(ethertype >> 8), byte(ethertype)}, make([]byte, 46)...)); err != nil {
					return err
				}
			}
			for protocol := range 256 {
				frames++
				packet := make([]byte, 46)
				copy(packet, []byte{0x45, 0, 0, 46, 0, 0, 0, 0, 64, byte(protocol), 0, 0, 10, 9, 0, 1, 10, 9, 0, 2})
				packet[10], packet[11] = 0xde, 0xad // no checksum's
				if err := send(append([]byte{8, 0}, packet...)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	var counted uint64
	apart := map[uint16]bool{}
	for _, c := range s.in(n.Rx.Netns) {
		counted += c.Drops
		apart[c.Cell.Ethertype] = true
	}
	for ethertype := 0x600; ethertype <= 0xffff; ethertype++ {
		cell := event.Cell{Ethertype: uint16(ethertype)}
		experimental := ethertype == 0x88b5 || ethertype == 0x88b6 // that tests use
		if named := !strings.HasPrefix(cell.Proto(), "ethertype "); named != apart[uint16(ethertype)] && !experimental {
			switch ethertype {
			case event.EthertypeARP, event.EthertypeIPv6, event.EthertypeVLAN, event.EthertypeQinQ:
			default:
				t.Errorf("ethertype %#04x is named %t and counted apart %t", ethertype, named, apart[uint16(ethertype)])
			}
		}
	}
	if counted != frames || s.end.Loss.Overflow != 0 || len(s.in(n.Rx.Netns)) > 80 {
		t.Errorf("%d drops of %d frames in %d cells, %d past the room for cells",
			counted, frames, len(s.in(n.Rx.Netns)), s.end.Loss.Overflow)
	}
	exact := false
	for i := range s.drops {
		p := &s.drops[i].Packet
		exact = exact || s.drops[i].Cell.Ethertype == event.OtherEthertype && p.Ethertype != 0
	}
	if !exact {
		t.Error("no sample has the ethertype of its packet")
	}
}
