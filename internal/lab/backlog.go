// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A multiplier is a tc program that clones each packet it sees until so many of
// the clones have been refused by the CPU's backlog. Softirqs do not run one
// inside the other, so the backlog is not emptied meanwhile, and its limit, a
// setting of the whole node, can stay as it is.
type multiplier struct {
	prog    *ebpf.Program
	control *ebpf.Map // an array: how many drops are wanted, how many there were
}

const (
	keyWanted, keyDropped = uint32(0), uint32(1)

	// maxBacklog is the longest backlog the program can fill: the verifier walks
	// through each turn of its loops and gives up after a million instructions.
	maxBacklog = 65536

	// burst is the most drops that one packet can lead to.
	burst = 1000
)

func cpuBacklog(s *Scene) error {
	s.expect.Reasons = []string{"CPU_BACKLOG"}
	s.expect.Frames = frames("enqueue_to_backlog")
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Rx)
	s.tally = s.net.Rx.deviceTally("rx_dropped")
	m, err := s.newMultiplier()
	if err != nil {
		return err
	}
	if err := s.net.Rx.Classify(netlink.HANDLE_MIN_INGRESS, m.prog); err != nil {
		return err
	}
	fire, err := s.datagrams(src, dst, nil)
	if err != nil {
		return err
	}
	s.send = func(ctx context.Context, n int) (sent int, err error) {
		for n > 0 && err == nil {
			if err := ctx.Err(); err != nil {
				return sent, err
			}
			var dropped int
			dropped, err = m.send(ctx, min(n, burst), fire, s.fence)
			n -= dropped
			sent++
		}
		return sent, err
	}
	return nil
}

// send has one packet multiplied until n have been dropped.
func (m *multiplier) send(ctx context.Context, n int, fire func() error, f *fence) (dropped int, err error) {
	if err := m.control.Put(keyDropped, uint32(0)); err != nil {
		return 0, fmt.Errorf("reset drops: %w", err)
	}
	if err := m.control.Put(keyWanted, uint32(n)); err != nil {
		return 0, fmt.Errorf("set wanted drops: %w", err)
	}
	if err := fire(); err != nil {
		return 0, err
	}
	if err := f.pass(ctx); err != nil {
		return 0, err
	}
	var count uint32
	if err := m.control.Lookup(keyDropped, &count); err != nil {
		return 0, fmt.Errorf("get drops: %w", err)
	}
	if count == 0 {
		return 0, errors.New("fill backlog: nothing dropped")
	}
	return int(count), nil
}

func (s *Scene) newMultiplier() (*multiplier, error) {
	limit, err := backlogLimit()
	if err != nil {
		return nil, err
	}
	control, err := ebpf.NewMap(&ebpf.MapSpec{
		Name: "lab", Type: ebpf.Array, KeySize: 4, ValueSize: 4, MaxEntries: 2,
	})
	if err != nil {
		return nil, fmt.Errorf("create BPF map: %w", err)
	}
	s.onClose(control.Close)
	prog, err := s.program(ebpf.SchedCLS, ebpf.AttachNone, multiply(control, int32(s.net.Rx.Ifindex), int32(limit)))
	return &multiplier{prog: prog, control: control}, err
}

// backlogLimit reads net.core.netdev_max_backlog.
func backlogLimit() (int, error) {
	content, err := os.ReadFile("/proc/sys/net/core/netdev_max_backlog")
	if err != nil {
		return 0, fmt.Errorf("read backlog limit: %w", err)
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(content)))
	if err != nil {
		return 0, fmt.Errorf("read backlog limit: %w", err)
	}
	if limit < 0 || limit > maxBacklog {
		return 0, fmt.Errorf("fill backlog of %d packets: at most %d can be filled", limit, maxBacklog)
	}
	return limit, nil
}
