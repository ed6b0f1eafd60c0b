// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// garbage is how much memory may be given up, in percent of what is in use, before it is
// collected. Recording makes little of it: that a recording of days takes little memory is
// worth more than the time.
const garbage = 30

// record records until the command or the duration ends, or without a command a signal
// comes, and returns how the command ended.
func record(ctx context.Context, s streams, options recordOptions) error {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(garbage)
	}
	ctx, signals := watchSignals(ctx)
	defer signals.stop()
	command, err := recordAll(ctx, s, options, signals)
	switch {
	case command == nil:
		return err
	case err == nil:
		return command.status()
	case command.running():
		complain(s.err, fmt.Errorf("%w; the command goes on", err))
	default:
		complain(s.err, err)
	}
	if ended := command.status(); ended != nil {
		return ended
	}
	return commandError{status(err)}
}

// recordAll records, and returns the command if it has started.
func recordAll(ctx context.Context, s streams, options recordOptions, signals *signals) (command *workload, err error) {
	tracer, err := trace.Open(options.trace)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errAttach, err)
	}
	defer func() { err = errors.Join(err, tracer.Close()) }()
	tracer.Meta().Version = version()

	how := private()
	how.keep = worthKeeping
	out, err := output(s, options.output, true, how)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	c := &capture{s: s, out: out, tracer: tracer, options: options, needed: tracer.Needs()}
	if err := c.begin(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		fmt.Fprintln(s.err, "interrupted before anything was recorded")
		return nil, signals.ended()
	}
	if len(options.command) > 0 {
		if command, err = start(s, options, signals); err != nil {
			return nil, err
		}
		c.needed |= privilege.Of(privilege.Kill) // it may run as another user
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		wait(ctx, options.duration, command)
		ended <- tracer.Stop()
	}()
	if err := c.run(); err != nil {
		cancel()
		return command, errors.Join(err, <-ended)
	}
	return command, <-ended
}

// wait returns when the recording is to end. The command may be nil.
func wait(ctx context.Context, duration time.Duration, command *workload) {
	var over <-chan time.Time
	if duration > 0 {
		timer := time.NewTimer(duration)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
	case <-over:
	case <-command.ended():
	}
}

// capture writes what a tracer yields to a recording.
type capture struct {
	s       streams
	out     *destination
	tracer  *trace.Tracer
	options recordOptions
	needed  privilege.Set // from the first event on
	writer  *recording.Writer
	summary *report.Builder
	line    *statusLine
	placed  bool
}

// begin writes the header, to a file that has no name yet.
func (c *capture) begin() error {
	by, err := profile.ParseDimensions(report.DefaultBy)
	if err != nil {
		return err
	}
	c.summary = report.NewBuilder(c.tracer.Meta(), report.Options{By: by, Limit: 10, Fold: true})
	c.writer, err = recording.NewWriter(c.out, c.tracer.Meta())
	return err
}

// run writes events until the tracer is stopped.
func (c *capture) run() error {
	c.line = newStatusLine(c.s.err, c.options)
	err := profile.Each(c.tracer, c.add)
	c.line.clear()
	if closeErr := c.writer.Close(); err == nil { // which repeats an error of writing
		err = closeErr
	}
	if err != nil || c.options.quiet {
		return err
	}
	if err := report.WriteText(c.s.err, c.summary.Report(), c.s.color.on(c.s.err)); err != nil {
		return err
	}
	return sayWritten(c.s.err, c.out.made)
}

func (c *capture) add(e event.Event) error {
	c.summary.Add(e)
	if err := c.writer.Write(e); err != nil {
		return err
	}
	if tick, ok := e.(*event.Tick); ok {
		c.line.show(tick)
		if c.placed && c.out.made != nil {
			if err := c.out.made.checkThere(); err != nil {
				return err
			}
		}
	}
	if c.placed && c.tracer.Behind() {
		return nil
	}
	if err := c.writer.Flush(); err != nil || c.placed {
		return err
	}
	return c.place()
}

// place has the recording take its name once the first event is written, and drops what
// is not needed from then on: a directory of another user takes privileges to write to.
// The command has started, with all that the user has.
func (c *capture) place() error {
	if err := c.out.place(); err != nil {
		return err
	}
	c.placed = true
	c.line.clear() // what drop warns of begins a line
	drop(c.s, c.needed)
	return nil
}

// sayWritten tells where the recording is, if it is a file.
func sayWritten(w io.Writer, file *newFile) error {
	if file == nil {
		return nil
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "wrote %s, %s bytes\n", file.Name(), spell.Thousands(uint64(info.Size())))
	return err
}
