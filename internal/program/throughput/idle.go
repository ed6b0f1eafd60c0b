// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// watch is a dropwatch stalls that runs.
type watch struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func watchStalls(o options) (*watch, error) {
	w := &watch{cmd: exec.Command(o.dropwatch, "stalls")}
	w.cmd.Stdout, w.cmd.Stderr = &w.out, &w.out
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	time.Sleep(time.Second) // it is attached then
	return w, nil
}

func (w *watch) end() error {
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	if err := w.cmd.Wait(); err != nil {
		return fmt.Errorf("%w: %s", err, &w.out)
	}
	return nil
}

// idle measures dropwatch stalls with nothing to do: the time its own process takes
// and how often it wakes up, and the time of its programs in the kernel.
func idle(o options) error {
	const length = 10 * time.Second
	off, err := statsOn()
	if err != nil {
		return err
	}
	defer off()
	w, err := watchStalls(o)
	if err != nil {
		return err
	}
	before, err := spent(w.cmd.Process.Pid)
	if err != nil {
		return err
	}
	inKernel, err := programs(w.cmd.Process.Pid)
	if err != nil {
		return err
	}
	time.Sleep(length)
	after, err := spent(w.cmd.Process.Pid)
	if err != nil {
		return err
	}
	inKernelAfter, err := programs(w.cmd.Process.Pid)
	if err != nil {
		return err
	}
	fmt.Printf("idle: process %.3f %% of a CPU, %d wake-ups in %s; programs in the kernel %.3f %%, with the cost of measuring it\n",
		100*(after.cpu-before.cpu).Seconds()/length.Seconds(), after.switches-before.switches, length,
		100*(inKernelAfter-inKernel).Seconds()/length.Seconds())
	return w.end()
}

type use struct {
	cpu      time.Duration
	switches int
}

// spent reads what a process has used: CPU time and voluntary context switches of all
// its threads.
func spent(pid int) (u use, err error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return u, err
	}
	for _, task := range tasks {
		dir := fmt.Sprintf("/proc/%d/task/%s", pid, task.Name())
		schedstat, err := os.ReadFile(dir + "/schedstat")
		if err != nil {
			return u, err
		}
		ns, err := strconv.ParseInt(strings.Fields(string(schedstat))[0], 10, 64)
		if err != nil {
			return u, err
		}
		status, err := os.ReadFile(dir + "/status")
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(ns)
		u.switches += number(string(status), "voluntary_ctxt_switches:")
	}
	return u, nil
}

// programs sums up the time that the BPF programs of a process have run.
func programs(pid int) (time.Duration, error) {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fdinfo", pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, file := range files {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, file.Name()))
		if err != nil {
			continue // closed meanwhile
		}
		sum += time.Duration(number(string(text), "run_time_ns:"))
	}
	return sum, nil
}

func number(text, name string) int {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.Atoi(strings.TrimSpace(rest))
			if err != nil {
				return 0
			}
			return n
		}
	}
	return 0
}
