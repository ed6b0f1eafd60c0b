// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Sent is how many packets a Flood has sent.
type Sent struct {
	ByPath  [numPaths]uint64 // packets, by Path
	Elapsed time.Duration    // from before the first to after the last, CLOCK_MONOTONIC
}

// Total is the number of packets sent by all paths.
func (s Sent) Total() (packets uint64) {
	for _, n := range s.ByPath {
		packets += n
	}
	return packets
}

// A Burst is so many packets in a row by one path.
type Burst struct {
	Path    Path
	Packets int
}

// Run sends by one path as fast as it can, for a time or until ctx ends. Whatever
// it has sent is dead when it returns. The end of ctx is no error.
func (f *Flood) Run(ctx context.Context, path Path, d time.Duration) (Sent, error) {
	return f.timed(ctx, func(start time.Time, sent *Sent) error {
		for ctx.Err() == nil && time.Since(start) < d {
			if err := f.burst(Burst{path, 64}, sent); err != nil {
				return err
			}
		}
		return nil
	})
}

// Mix sends bursts as fast as it can, the whole pattern so many times, or until
// ctx ends. {Sendto, 9}, {Write, 1} is a steady mix of 90 to 10 percent; the same
// with 9000 and 1000 a bursty one.
func (f *Flood) Mix(ctx context.Context, pattern []Burst, rounds int) (Sent, error) {
	return f.timed(ctx, func(_ time.Time, sent *Sent) error {
		for range rounds {
			for _, b := range pattern {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := f.burst(b, sent); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Pace sends rate packets a second by one path, rate × d in all, or until ctx ends.
// It sends every millisecond what is due by then.
func (f *Flood) Pace(ctx context.Context, path Path, rate int, d time.Duration) (Sent, error) {
	total := int(d.Seconds() * float64(rate))
	return f.timed(ctx, func(start time.Time, sent *Sent) error {
		for done := 0; done < total; {
			due := min(total, int(time.Since(start).Seconds()*float64(rate))+1)
			if err := f.burst(Burst{path, due - done}, sent); err != nil {
				return err
			}
			done = due
			next := time.Duration(float64(done) / float64(rate) * float64(time.Second))
			wait := time.NewTimer(max(time.Millisecond, time.Until(start.Add(next))))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-wait.C:
			}
		}
		return nil
	})
}

// timed pins the thread, takes the time of send, and waits for the last packet.
func (f *Flood) timed(ctx context.Context, send func(start time.Time, sent *Sent) error) (sent Sent, err error) {
	err = Pinned(f.options.CPU, func() error {
		start := time.Now()
		err := send(start, &sent)
		sent.Elapsed = time.Since(start)
		if err != nil && ctx.Err() == nil {
			return err
		}
		return f.fence.pass(context.WithoutCancel(ctx))
	})
	if err != nil {
		return sent, fmt.Errorf("send flood: %w", err)
	}
	return sent, nil
}

// burst sends one burst. A packet that the output hook dropped was sent, too.
func (f *Flood) burst(b Burst, sent *Sent) error {
	var done uint64
	defer func() { sent.ByPath[b.Path] += done }()
	for range b.Packets {
		errno := f.gun.fire(b.Path)
		// The send buffer may be full of packets that the other side has yet to drop.
		for try := 0; errno == unix.EAGAIN && try < 1_000_000; try++ {
			runtime.Gosched()
			errno = f.gun.fire(b.Path)
		}
		if errno != 0 && !(errno == unix.EPERM && f.options.Hook == Output) {
			return fmt.Errorf("send by %s: %w", b.Path, errno)
		}
		done++
	}
	return nil
}
