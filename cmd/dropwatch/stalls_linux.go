// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtt"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// watchStalls prints stalls of this machine until the duration is over or a signal
// comes.
func watchStalls(ctx context.Context, s streams, flags stallFlags) (err error) {
	ctx, signals := watchSignals(ctx)
	defer signals.stop()
	tracer, err := trace.OpenStalls(trace.StallConfig{Threshold: flags.threshold}, flags.btf)
	if err != nil {
		return fmt.Errorf("%w: %w", errAttach, err)
	}
	defer func() { err = errors.Join(err, tracer.Close()) }()
	tracer.Meta().Version = version()
	sayStart(s, fmt.Sprintf("watching for packets that wait %v or longer", flags.threshold), tracer.Meta(), "net_rx_action")
	drop(s, tracer.Needs())
	ended := stopLater(ctx, tracer, flags.duration)
	if err := showStalls(s, tracer, flags, tracer.Histograms); err != nil {
		return err
	}
	return <-ended
}

// sayStart tells what is watched and by which rung of a hook, and on a terminal how to
// end it.
func sayStart(s streams, what string, meta *event.Meta, hook string) {
	for _, h := range meta.Hooks {
		if h.Name == hook {
			what += fmt.Sprintf(", %s by %s", h.Name, h.Rung)
		}
	}
	if isTerminal(s.err) {
		what += "; Ctrl-C ends"
	}
	fmt.Fprintln(s.err, what)
}

// stopLater stops a tracer when the duration is over or a signal came.
func stopLater(ctx context.Context, tracer *trace.Stalls, duration time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() {
		wait(ctx, duration, nil)
		ended <- tracer.Stop()
	}()
	return ended
}

// watchICMP prints the echo requests this machine answers, until the duration is
// over, a signal comes, or the log ends.
func watchICMP(ctx context.Context, s streams, log <-chan rtt.Reply, flags icmpFlags) (err error) {
	ctx, signals := watchSignals(ctx)
	defer signals.stop()
	tracer, err := trace.OpenStalls(trace.StallConfig{Threshold: flags.threshold, Echoes: true}, flags.btf)
	if err != nil {
		return fmt.Errorf("%w: %w", errAttach, err)
	}
	defer func() { err = errors.Join(err, tracer.Close()) }()
	tracer.Meta().Version = version()
	sayStart(s, "watching for echo requests", tracer.Meta(), "icmp_echo")
	drop(s, tracer.Needs())
	ended := stopLater(ctx, tracer, flags.duration)
	if err := showEchoes(s, tracer, log, signals.cancel, flags); err != nil {
		return err
	}
	return <-ended
}
