// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// workload is the command that runs while dropwatch records. Without one it is
// never done.
type workload struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the command has ended
	err  error         // of the command, once done
}

func noWorkload() *workload { return &workload{done: make(chan struct{})} }

func start(s streams, command []string) (*workload, error) {
	w := noWorkload()
	if len(command) == 0 {
		return w, nil
	}
	w.cmd = exec.Command(command[0], command[1:]...)
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = s.in, s.out, s.err
	if err := w.cmd.Start(); err != nil {
		return nil, fmt.Errorf("run command: %w", err)
	}
	go func() {
		w.err = w.cmd.Wait()
		close(w.done)
	}()
	return w, nil
}

// terminate asks the command to end.
func (w *workload) terminate() {
	if w.cmd != nil {
		_ = w.cmd.Process.Signal(unix.SIGTERM) // it may have ended just now
	}
}

// status waits for the command and returns its exit status as an error, in the
// manner of a shell: 128 and the signal's number if one ended it.
func (w *workload) status() error {
	if w.cmd == nil {
		return nil
	}
	<-w.done
	var exit *exec.ExitError
	if !errors.As(w.err, &exit) {
		return w.err
	}
	if signal, ok := exit.Sys().(syscall.WaitStatus); ok && exit.ExitCode() < 0 {
		return commandError{128 + int(signal.Signal())}
	}
	return commandError{exit.ExitCode()}
}
