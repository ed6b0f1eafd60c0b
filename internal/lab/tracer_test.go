// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

const (
	packetBytes = 128
	stackFrames = 64
)

// A death is one record of the tracer: the program below fills it in this order.
type death struct {
	DevNetns   uint32 // of skb->dev, if that is a device
	SockNetns  uint32 // of the socket, if there is one
	Reason     uint32
	Ifindex    uint32 // of skb->dev
	Iif        uint32
	Route      uint32 // ifindex of the device of the route
	Protocol   uint16
	Network    uint16 // offset of the IP header in skb->head
	Packet     [packetBytes]byte
	StackBytes int32
	Stack      [stackFrames]uint64
}

// A tracer sees every skb:kfree_skb in the namespaces it watches. It shares nothing
// with the tracer that this project is about, so that each checks the other.
type tracer struct {
	t       *testing.T
	prog    *ebpf.Program
	link    link.Link
	watched *ebpf.Map // by inode number
	reader  *ringbuf.Reader
}

func newTracer(t *testing.T) *tracer {
	t.Helper()
	labtest.Need(t, haveReasons())
	tr := &tracer{t: t}
	closed := func(c io.Closer) { t.Cleanup(func() { c.Close() }) }
	ring, err := ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.RingBuf, MaxEntries: 16 << 20})
	labtest.Need(t, err)
	closed(ring)
	tr.watched, err = ebpf.NewMap(&ebpf.MapSpec{Type: ebpf.Hash, KeySize: 4, ValueSize: 1, MaxEntries: 64})
	labtest.Need(t, err)
	closed(tr.watched)
	tr.prog, err = ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.RawTracepoint, License: "GPL", Instructions: tracerProgram(t, ring, tr.watched),
	})
	labtest.Need(t, err)
	closed(tr.prog)
	tr.reader, err = ringbuf.NewReader(ring)
	labtest.Need(t, err)
	closed(tr.reader)
	tr.link, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: "kfree_skb", Program: tr.prog})
	labtest.Need(t, err)
	closed(tr.link)
	return tr
}

// watch has packets seen that die in a network. It must still be open: inode
// numbers of namespaces are used again.
func (tr *tracer) watch(n *Net) {
	tr.t.Helper()
	for _, h := range []*Host{n.Tx, n.Rx} {
		if err := tr.watched.Put(h.Netns, uint8(1)); err != nil {
			tr.t.Fatal(err)
		}
	}
}

// unwatch ends that. It must be called while the network is open.
func (tr *tracer) unwatch(n *Net) {
	for _, h := range []*Host{n.Tx, n.Rx} {
		tr.watched.Delete(h.Netns)
	}
}

// misses is how often a packet died while the program was busy with another on
// the same CPU. The kernel does not call it then.
func (tr *tracer) misses() uint64 {
	stats, err := tr.prog.Stats()
	if err != nil {
		tr.t.Fatal(err)
	}
	return stats.RecursionMisses
}

// deaths returns what has been recorded since the last call in the namespaces of n,
// but for what is no packet: messages of netlink sockets are freed as such, too.
func (tr *tracer) deaths(n *Net) []death {
	tr.t.Helper()
	var all []death
	for {
		tr.reader.SetDeadline(time.Now())
		record, err := tr.reader.Read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return all
		}
		if err != nil {
			tr.t.Fatal(err)
		}
		var d death
		if err := binary.Read(bytes.NewReader(record.RawSample), binary.NativeEndian, &d); err != nil {
			tr.t.Fatal(err)
		}
		if d.netns(n) != 0 && d.Protocol != 0 {
			all = append(all, d)
		}
	}
}

// netns returns which of the namespaces of n the packet died in, or 0. The device
// says so; the socket only where there is none, as it may still be the sender's.
func (d *death) netns(n *Net) uint32 {
	for _, inum := range []uint32{d.DevNetns, d.SockNetns} {
		if inum == n.Tx.Netns || inum == n.Rx.Netns {
			return inum
		}
	}
	return 0
}
