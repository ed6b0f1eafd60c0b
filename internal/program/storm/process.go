// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a tracer that runs as a program of its own.
type process struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	done   chan error
}

// spawn starts a tracer that writes a file, of which it leaves no old one.
func spawn(file string, cmd *exec.Cmd) (*process, error) {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = &p.stderr, &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, nil
}

// await waits until the tracer is ready.
func (p *process) await(ready func() bool) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		select {
		case err := <-p.done:
			return fmt.Errorf("%s ended early: %w\n%s", p.cmd, err, &p.stderr)
		case <-time.After(20 * time.Millisecond):
		}
		if ready() {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("%s is not ready\n%s", p.cmd, &p.stderr), p.cmd.Process.Kill())
}

// end interrupts the tracer and waits until it has written its file.
func (p *process) end(file string) (saw, error) {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return saw{}, err
	}
	select {
	case <-p.done:
	case <-time.After(2 * time.Minute):
		return saw{}, errors.Join(fmt.Errorf("%s does not end", p.cmd), p.cmd.Process.Kill())
	}
	s := saw{cpu: p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()}
	if usage, ok := p.cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		s.resident = usage.Maxrss << 10
	}
	info, err := os.Stat(file)
	if err != nil {
		return s, fmt.Errorf("%w\n%s", err, &p.stderr)
	}
	s.fileSize = info.Size()
	return s, nil
}
