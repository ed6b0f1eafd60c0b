// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// A child is a process that does one piece of work on one CPU. It is a fork of this
// one, with memory of its own and outside of Go's scheduler and garbage collector:
// a thread of ours on a CPU that is held would hold up all others (stopping the
// world, or a page table's change which waits until every CPU has heard of it).
type child struct {
	comm  [16]byte
	cpu   unix.CPUSet
	sched unix.SchedAttr
	group autogroup
	work  work
	errno *uintptr // in shared memory: why the work was not done
}

// work is what a child does, one of these. All of a child's functions make raw system
// calls only, and neither allocate, write pointers, grow the stack nor can be
// preempted: it has a single thread, and of Go's runtime a copy in whatever state the
// other threads left it. What it writes to shared memory the parent can read.
type work struct {
	spin *spinner
	run  *testRun
	read *reader
	send *sender
}

// minNice gets a child its CPU before all ordinary processes.
const minNice = -20

// newChild describes a child with a name, an ordinary policy and a nice value.
func newChild(comm string, cpu, nice int, w work) *child {
	c := &child{
		sched: unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: int32(nice)},
		group: newAutogroup(nice), work: w,
	}
	copy(c.comm[:len(c.comm)-1], comm)
	c.cpu.Set(cpu)
	return c
}

// run starts the child and waits for its end. The child ends with this thread.
func (c *child) run(started func(pid int)) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	errno, release, err := share[uintptr](1)
	if err != nil {
		return err
	}
	defer release()
	c.errno = &errno[0]
	pid, err := c.start()
	if err != nil {
		return fmt.Errorf("fork %s: %w", unix.ByteSliceToString(c.comm[:]), err)
	}
	if started != nil {
		started(pid)
	}
	err = reap(pid)
	if err == nil && errno[0] != 0 {
		err = unix.Errno(errno[0])
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", unix.ByteSliceToString(c.comm[:]), err)
	}
	return nil
}

// start forks with all signals blocked: in the child they stay so, as a handler of
// Go's would not find its runtime.
func (c *child) start() (pid int, err error) {
	var all, before unix.Sigset_t
	for i := range all.Val {
		all.Val[i] = ^all.Val[i]
	}
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &all, &before); err != nil {
		return 0, fmt.Errorf("block signals: %w", err)
	}
	id, errno := c.fork()
	if err := unix.PthreadSigmask(unix.SIG_SETMASK, &before, nil); err != nil {
		return 0, fmt.Errorf("unblock signals: %w", err)
	}
	if errno != 0 {
		return 0, errno
	}
	return int(id), nil
}

// reap waits for the end of a child.
func reap(pid int) error {
	for {
		var status unix.WaitStatus
		_, err := unix.Wait4(pid, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return fmt.Errorf("wait for process: %w", err)
		case !status.Exited():
			return fmt.Errorf("process ended with status %#x", uint32(status))
		default:
			return nil
		}
	}
}
