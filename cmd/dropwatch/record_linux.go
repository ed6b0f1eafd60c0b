// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/capability"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// record records until the command, the duration or a signal ends it. The second
// signal ends the process.
func record(ctx context.Context, s streams, options recordOptions) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer onSignals(cancel)()
	tracer, err := trace.Open(options.trace)
	if err != nil {
		return fmt.Errorf("%w: %w", errAttach, err)
	}
	defer func() { err = errors.Join(err, tracer.Close()) }()
	tracer.Meta().Version = version()

	how := private()
	how.keep = worthKeeping
	out, err := output(s, options.output, true, how)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	workload, err := start(s, options.command)
	if err != nil {
		return err
	}
	needed := tracer.Needs()
	if workload.cmd != nil {
		needed |= capability.Of(capability.Kill) // it may run as another user
	}
	ended := make(chan error, 1)
	go func() {
		wait(ctx, options.duration, workload)
		ended <- tracer.Stop()
	}()
	if err := capture(s, out, tracer, options, needed); err != nil {
		workload.terminate()
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	return workload.status()
}

// onSignals has the first signal cancel and the second end the process, also where
// the shell had signals ignored. The function it returns takes that back.
func onSignals(cancel func()) func() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, unix.SIGINT, unix.SIGTERM)
	go func() {
		<-signals
		cancel()
		second := <-signals
		os.Exit(128 + int(second.(unix.Signal)))
	}()
	return func() { signal.Stop(signals) }
}

// wait returns when the recording is to end.
func wait(ctx context.Context, duration time.Duration, workload *workload) {
	var over <-chan time.Time
	if duration > 0 {
		timer := time.NewTimer(duration)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-ctx.Done():
		workload.terminate()
	case <-over:
	case <-workload.done:
	}
}

// capture writes events to the recording until the tracer is stopped. Once the first is
// written the recording takes its name, and what is not needed is dropped: a directory of
// another user takes privileges to write to. The command has started, with all that the
// user has.
func capture(s streams, out *destination, tracer *trace.Tracer, options recordOptions, needed capability.Set) error {
	w, err := recording.NewWriter(out, tracer.Meta())
	if err != nil {
		return err
	}
	by, err := profile.ParseDimensions(report.DefaultBy)
	if err != nil {
		return err
	}
	summary := report.NewBuilder(tracer.Meta(), report.Options{By: by, Limit: 10, Fold: true})
	line := newStatusLine(s.err, options)
	placed := false
	err = profile.Each(tracer, func(e event.Event) error {
		summary.Add(e)
		if err := w.Write(e); err != nil {
			return err
		}
		if tick, ok := e.(*event.Tick); ok {
			line.show(tick)
			if placed && out.made != nil {
				if err := out.made.checkThere(); err != nil {
					return err
				}
			}
		}
		if placed && tracer.Behind() {
			return nil
		}
		if err := w.Flush(); err != nil || placed {
			return err
		}
		placed = true
		if err := out.place(); err != nil {
			return err
		}
		drop(s, needed)
		return nil
	})
	line.clear()
	if err = errors.Join(err, w.Close()); err != nil || options.quiet {
		return err
	}
	if err := report.WriteText(s.err, summary.Report(), s.colour.on(s.err)); err != nil {
		return err
	}
	return sayWritten(s.err, out.made)
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
