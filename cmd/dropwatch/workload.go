// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// workload is the command that runs while dropwatch records.
type workload struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the command has ended
	err  error         // of the command, once done
}

// start starts the command as a shell would in place of dropwatch: in its process
// group, at its terminal, with its files and environment. Only its output goes to
// standard error where the recording goes to standard output.
func start(s streams, options recordOptions, signals *signals) (*workload, error) {
	w := &workload{cmd: exec.Command(options.command[0], options.command[1:]...), done: make(chan struct{})}
	w.cmd.Stdin, w.cmd.Stdout, w.cmd.Stderr = s.in, s.out, s.err
	if fd, ok := descriptor(options.output); options.output == "-" || ok && fd == 1 {
		w.cmd.Stdout = s.err
	}
	if err := signals.start(w); err != nil {
		return nil, fmt.Errorf("run command: %w", err)
	}
	go func() {
		w.err = w.cmd.Wait()
		close(w.done)
	}()
	return w, nil
}

// ended is closed when the command has ended; of none it never is.
func (w *workload) ended() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.done
}

func (w *workload) running() bool {
	if w == nil {
		return false
	}
	select {
	case <-w.done:
		return false
	default:
		return true
	}
}

// signal passes a signal on to the command.
func (w *workload) signal(signal os.Signal) {
	_ = w.cmd.Process.Signal(signal) // it may have ended just now
}

// status waits for the command and returns its exit status as an error, in the
// manner of a shell: 128 and the signal's number if one ended it.
func (w *workload) status() error {
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
