// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import "context"

// window is how many packets may be under way to the other host. It stays below
// net.core.netdev_max_backlog (1000), which would drop the rest by itself.
const window = 200

// each has every packet die that fire sends. Those that arrive at the other host
// have been dealt with when a later one has come through the fence; those that do
// not arrive are dead when fire returns.
func (s *Scene) each(fire func() error, arrive bool) {
	s.send = func(ctx context.Context, n int) (sent int, err error) {
		for sent < n {
			if err := ctx.Err(); err != nil {
				return sent, err
			}
			for range min(window, n-sent) {
				if err := fire(); err != nil {
					return sent, err
				}
				sent++
			}
			if !arrive {
				continue
			}
			if err := s.fence.pass(ctx); err != nil {
				return sent, err
			}
		}
		return sent, nil
	}
}

// until has packets die only once something is full: it sends one after the
// other until n have died by the scene's tally.
func (s *Scene) until(fire func() error) {
	s.send = func(ctx context.Context, n int) (sent int, err error) {
		start, err := s.tally.read()
		if err != nil {
			return 0, err
		}
		for died := uint64(0); died < uint64(n); {
			if err := ctx.Err(); err != nil {
				return sent, err
			}
			if err := fire(); err != nil {
				return sent, err
			}
			sent++
			if err := s.fence.pass(ctx); err != nil {
				return sent, err
			}
			now, err := s.tally.read()
			if err != nil {
				return sent, err
			}
			died = now - start
		}
		return sent, nil
	}
}
