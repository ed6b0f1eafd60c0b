// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// again is how long after one signal another is a second one. timeout(1) and
	// systemd send the same signal to a process and to its group.
	again = 300 * time.Millisecond
	// alone is how long a command that a signal may have reached already has to end by
	// itself, before that is passed on.
	alone = 100 * time.Millisecond
)

// signals are those that end a recording, and those for the command that runs meanwhile.
//
// Without a command the first signal cancels a context and the second ends the process.
// While a command runs they are its business: those of the terminal reach it by
// themselves, as it is in the same process group, and others are passed on. The second
// that was passed on ends the process, whatever the command does.
type signals struct {
	cancel  func()
	channel chan os.Signal
	done    chan struct{}
	ignored []os.Signal // when dropwatch was started

	lock    sync.Mutex
	command *workload
	asked   unix.Signal // the first that asks for an end
	first   time.Time   // when it came
}

// watchSignals returns a context that the first signal cancels.
func watchSignals(ctx context.Context) (context.Context, *signals) {
	ctx, cancel := context.WithCancel(ctx)
	s := &signals{cancel: cancel, channel: make(chan os.Signal, 16), done: make(chan struct{})}
	// A shell has background jobs ignore SIGINT, though a script may mean to end them
	// by it; nohup means it.
	if signal.Ignored(unix.SIGINT) {
		s.ignored = append(s.ignored, unix.SIGINT, unix.SIGQUIT)
	}
	if signal.Ignored(unix.SIGHUP) {
		s.ignored = append(s.ignored, unix.SIGHUP)
	}
	s.notify()
	go s.serve()
	return ctx, s
}

func (s *signals) notify() {
	all := []os.Signal{unix.SIGINT, unix.SIGTERM, unix.SIGQUIT}
	if !slices.Contains(s.ignored, os.Signal(unix.SIGHUP)) {
		all = append(all, unix.SIGHUP)
	}
	signal.Notify(s.channel, all...)
}

// start starts a command that ignores what dropwatch was started to ignore. Its reader
// may go away before it does, and so may dropwatch's.
func (s *signals) start(w *workload) error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if len(s.ignored) > 0 {
		signal.Ignore(s.ignored...)
	}
	err := w.cmd.Start()
	s.notify()
	if err != nil {
		return err
	}
	signal.Notify(s.channel, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE)
	s.command = w
	return nil
}

// ended returns the status of a process that the first signal ends.
func (s *signals) ended() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	return commandError{128 + int(s.asked)}
}

// stop takes everything back. Where a signal has ended the recording the process is about
// to end, and a repetition of that signal must not kill it: a later one still does.
func (s *signals) stop() {
	s.lock.Lock()
	ending := !s.first.IsZero()
	s.lock.Unlock()
	if ending {
		s.cancel()
		return
	}
	signal.Stop(s.channel)
	close(s.done)
	s.cancel()
}

func (s *signals) serve() {
	for {
		select {
		case <-s.done:
			return
		case received := <-s.channel:
			s.handle(received.(unix.Signal))
		}
	}
}

func (s *signals) handle(received unix.Signal) {
	s.lock.Lock()
	defer s.lock.Unlock()
	command := s.command
	switch received {
	case unix.SIGPIPE: // the write fails
		return
	case unix.SIGUSR1, unix.SIGUSR2:
		command.signal(received)
		return
	}
	if command.running() {
		if fromTerminal(received) {
			return
		}
		go func() {
			select {
			case <-command.done:
			case <-time.After(alone):
				command.signal(received)
			}
		}()
		if received == unix.SIGHUP { // which may mean: read your configuration again
			return
		}
	}
	now := time.Now()
	if s.first.IsZero() {
		s.first, s.asked = now, received
		if command == nil {
			s.cancel()
		}
		return
	}
	if now.Sub(s.first) > again {
		os.Exit(128 + int(received))
	}
}

// fromTerminal reports whether a signal is one that the terminal sends to the processes
// in its foreground, and this process is one of them.
func fromTerminal(received unix.Signal) bool {
	if received != unix.SIGINT && received != unix.SIGQUIT {
		return false
	}
	fd, err := unix.Open("/dev/tty", unix.O_RDONLY|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	foreground, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
	return err == nil && foreground == unix.Getpgrp()
}
