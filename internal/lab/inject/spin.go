// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"time"

	"golang.org/x/sys/unix"
)

// A spinner waits for a sign and then counts in user space until its time is over.
// Several, on one CPU, share a log.
type spinner struct {
	hold time.Duration
	log  *spinLog
	self int // index of its own in the log
}

// A spinLog is in shared memory.
type spinLog struct {
	from  time.Duration // when to begin, CLOCK_MONOTONIC; set by the parent
	ready [hogs]bool    // who waits for that
	start time.Duration // when the first one began
	end   time.Duration // when the first one ended
}

const (
	spinTurns = 100_000 // between two looks at the clock, some 30 µs
	maxSpins  = 100_000 // looks at the clock, in case that it should stand still
)

//go:nosplit
//go:norace
func (s *spinner) do() unix.Errno {
	s.log.ready[s.self] = true
	for i := 0; s.log.from == 0; i++ {
		if i == maxSpins {
			return unix.ETIMEDOUT
		}
		sleepUntil(clock() + time.Millisecond)
	}
	sleepUntil(s.log.from)
	now := clock()
	if s.log.start == 0 {
		s.log.start = now
	}
	for i := 0; i < maxSpins && now < s.log.start+s.hold; i++ {
		for range spinTurns {
		}
		now = clock()
	}
	if s.log.end == 0 {
		s.log.end = now
	}
	return 0
}
