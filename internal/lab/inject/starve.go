// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

const (
	rtPriority = 50
	maxNice    = 19
	hogs       = 4 // the most spinners at a time
)

// rtStarve puts a process of policy SCHED_FIFO on the NAPI thread's CPU. It is not
// throttled before it ran for kernel.sched_rt_runtime_us, 950 ms by default, and
// the kernel's own server of ordinary tasks (fair_server, 6.12+) waits as long.
func (b *Bench) rtStarve(d time.Duration) (Truth, error) {
	return b.starve(d, "inject-rt", 1, func(s *spinner) *child {
		c := newChild("inject-rt", receiveCPU, 0, work{spin: s})
		c.sched.Policy, c.sched.Priority = unix.SCHED_FIFO, rtPriority
		return c
	})
}

// newContention makes the NAPI thread the lightest of ordinary tasks. As a short
// sleeper it would otherwise run soon, whoever else is there; and if it were made so
// only for the window, the time owed to it before would count a thousandfold in there.
func (b *Bench) newContention() (injector, error) {
	return b.cpuContention, b.setNice(maxNice)
}

// cpuContention puts ordinary processes there, each with several thousand times the
// thread's weight.
func (b *Bench) cpuContention(d time.Duration) (truth Truth, err error) {
	return b.starve(d, "inject-hog", hogs, func(s *spinner) *child {
		return newChild("inject-hog", receiveCPU, minNice, work{spin: s})
	})
}

// setNice sets the nice value of the NAPI thread.
func (b *Bench) setNice(nice int) error {
	if err := unix.Setpriority(unix.PRIO_PROCESS, b.napi, nice); err != nil {
		return fmt.Errorf("set nice value of NAPI thread %d to %d: %w", b.napi, nice, err)
	}
	return nil
}

// starve runs n spinners at the same time. The Truth names one of them.
func (b *Bench) starve(d time.Duration, comm string, n int, enlist func(*spinner) *child) (Truth, error) {
	logs, release, err := share[spinLog](1)
	if err != nil {
		return Truth{}, err
	}
	log, pids, ended := &logs[0], make(chan int, n), make(chan error, n)
	for i := range n {
		go func() {
			ended <- enlist(&spinner{hold: d, log: log, self: i}).run(func(pid int) { pids <- pid })
		}()
	}
	err = await("processes to get ready", patience, func() (bool, error) {
		return !slices.Contains(log.ready[:n], false), nil
	})
	if err != nil {
		err = errors.Join(err, whereIs(pids))
	}
	log.from = clock() + time.Millisecond
	for range n {
		err = errors.Join(err, <-ended)
	}
	truth := Truth{CPU: receiveCPU, Comm: comm, Start: log.start, End: log.end, Device: b.net.Rx.Device}
	if err := errors.Join(err, release()); err != nil {
		return Truth{}, err
	}
	truth.PID = <-pids
	truth.TID = truth.PID
	return truth, nil
}

// whereIs returns the state and the kernel stack of each forked process as an error. The
// process IDs stay in the channel.
func whereIs(pids chan int) error {
	where := fmt.Sprintf("%d of %d were forked", len(pids), cap(pids))
	for range len(pids) {
		pid := <-pids
		pids <- pid
		for _, name := range []string{"stat", "stack"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
			if err != nil {
				return errors.Join(errors.New(where), err)
			}
			where += "\n" + string(text)
		}
	}
	return errors.New(where)
}
