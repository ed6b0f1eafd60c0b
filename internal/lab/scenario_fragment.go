// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// fragments is how many datagrams may wait to be complete; more would exceed
// net.ipv4.ipfrag_high_thresh (4 MiB) and be thrown out for that.
const fragments = 1000

// ipFragmentTimeout sends first fragments that are followed by nothing. A timer
// gives up on each after a second.
func ipFragmentTimeout(s *Scene) error {
	s.expect.Reasons = []string{"FRAG_REASM_TIMEOUT", "NOT_SPECIFIED"}
	s.expect.Frames = frames("ip_expire")
	s.countBy(s.net.Rx, "snmp", "Ip.ReasmTimeout")
	s.diesAt(s.net.Rx)
	if err := s.net.Rx.Sysctl("ipv4/ipfrag_time", "1"); err != nil {
		return err
	}
	send, err := s.sender(s.net.Tx)
	if err != nil {
		return err
	}
	packet, id := s.spoilt(), uint16(0)
	s.each(func() error {
		id++
		binary.BigEndian.PutUint16(packet[4:], id)
		packet[6] = 0x20 // more fragments
		sumIPv4(packet)
		return send(ethernet(s.net.Rx.MAC, s.net.Tx.MAC, unix.ETH_P_IP, packet))
	}, true)
	burst := s.send
	s.send = func(ctx context.Context, n int) (sent int, err error) {
		for sent < n && err == nil {
			var more int
			if more, err = burst(ctx, min(fragments, n-sent)); err != nil {
				return sent, err
			}
			sent += more
			// Most of the second this thread need not keep the CPU busy for.
			select {
			case <-ctx.Done():
				return sent, ctx.Err()
			case <-time.After(900 * time.Millisecond):
				err = s.net.Rx.awaitFragments(ctx)
			}
		}
		return sent, err
	}
	return nil
}

// awaitFragments waits until the host holds no fragments.
func (h *Host) awaitFragments(ctx context.Context) error {
	return h.Do(func() error {
		return awaitTimer(ctx, "fragments to be dropped", func() (bool, error) {
			line, err := field("/proc/thread-self/net/sockstat", func(line string) (string, bool) {
				return strings.CutPrefix(line, "FRAG: ")
			})
			if err != nil {
				return false, err
			}
			words := strings.Fields(line) // inuse 0 memory 0
			memory, err := strconv.Atoi(words[len(words)-1])
			if err != nil {
				return false, fmt.Errorf("parse memory of fragments: %w", err)
			}
			return memory == 0, nil
		})
	})
}
