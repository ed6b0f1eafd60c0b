// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Scene is a Scenario that has been set up: everything is in place, and no
// packet has died yet.
type Scene struct {
	name    string
	net     *Net
	fence   *fence
	expect  Expect
	tally   *tally
	send    func(ctx context.Context, n int) (sent int, err error)
	closers []func() error
}

// Net returns the network that the packets die in.
func (s *Scene) Net() *Net {
	return s.net
}

// Expect returns what each drop will look like; its Drops is zero.
func (s *Scene) Expect() Expect {
	return s.expect
}

// Send sends until exactly n more packets have died, and returns when they have.
// It may be called again.
func (s *Scene) Send(ctx context.Context, n int) (out Outcome, err error) {
	out = Outcome{Expect: s.expect}
	if n < 1 {
		return out, fmt.Errorf("send %s: invalid number of drops %d", s.name, n)
	}
	before, err := s.tally.read()
	if err != nil {
		return out, fmt.Errorf("send %s: %w", s.name, err)
	}
	var sent int
	err = Pinned(-1, func() error {
		sent, err = s.send(ctx, n)
		return err
	})
	out.Sent = uint64(sent)
	if err != nil {
		return out, fmt.Errorf("send %s: %w", s.name, err)
	}
	after, err := s.tally.read()
	if err != nil {
		return out, fmt.Errorf("send %s: %w", s.name, err)
	}
	if s.tally != nil {
		out.Counter = s.tally.name
		if after-before != uint64(n) {
			return out, fmt.Errorf("send %s: %s moved by %d, want %d", s.name, s.tally.name, after-before, n)
		}
	}
	out.Expect.Drops = uint64(n)
	return out, nil
}

// Close clears everything away, in the opposite order of its making.
func (s *Scene) Close() error {
	var errs []error
	for _, c := range slices.Backward(s.closers) {
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(append(errs, s.net.Close())...)
}

// set builds the scene.
func (s *Scene) set(prepare func(*Scene) error) error {
	var err error
	if s.fence, err = s.net.newFence(fencePort); err != nil {
		return err
	}
	s.onClose(s.fence.close)
	return prepare(s)
}

// onClose has f called when the scene is closed.
func (s *Scene) onClose(f func() error) {
	s.closers = append(s.closers, f)
}

// diesAt fills in where packets die: on the device of one of the hosts.
func (s *Scene) diesAt(h *Host) {
	s.expect.Netns, s.expect.Device, s.expect.Ifindex = h.Netns, h.Device, h.Ifindex
}
