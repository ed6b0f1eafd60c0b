// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

// Command storm measures what tracing costs: a sender pinned to a CPU floods an nft
// rule that drops, once without a tracer and once with each of several, round after
// round, and every rate is shown as a share of the untraced one of its round.
//
// It needs root, bpftrace and perf; make bench installs them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
)

type options struct {
	rounds    int
	duration  time.Duration
	cpu       int
	dropwatch string
	dir       string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 9, "how often to measure each tracer")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "how long to send each time")
	flag.IntVar(&o.cpu, "cpu", 0, "CPU of the sender")
	flag.StringVar(&o.dropwatch, "dropwatch", "./dropwatch", "the dropwatch to measure")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), unix.SIGINT, unix.SIGTERM)
	defer stop()
	if o.dir, err = os.MkdirTemp("", "storm"); err != nil {
		return err
	}
	defer os.RemoveAll(o.dir)
	net, err := lab.NewNet()
	if err != nil {
		return err
	}
	defer net.Close()
	flood, err := net.NewFlood(lab.FloodOptions{CPU: o.cpu})
	if err != nil {
		return err
	}
	defer flood.Close()

	tracers := tracers(o)
	results := make([][]result, len(tracers))
	for round := range o.rounds {
		for i, t := range tracers {
			r, err := measure(ctx, t, flood, o)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", round+1, t.name, err)
			}
			results[i] = append(results[i], r)
			fmt.Fprintf(os.Stderr, "\rround %d of %d: %-30s", round+1, o.rounds, t.name)
		}
	}
	fmt.Fprint(os.Stderr, "\r\x1b[K")
	if err := show(os.Stdout, tracers, results); err != nil {
		return err
	}
	if err := cost(ctx, os.Stdout, flood, o); err != nil {
		return err
	}
	return latencies(ctx, os.Stdout, net, o)
}
