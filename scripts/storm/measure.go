// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/pkg/lab"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

// result is one measurement.
type result struct {
	saw
	rate    float64 // packets per second
	dropped uint64  // by nft's counter
}

func measure(ctx context.Context, t tracer, flood *lab.Flood, o options) (r result, err error) {
	before, err := flood.Drops()
	if err != nil {
		return r, err
	}
	stop, err := t.start()
	if err != nil {
		return r, err
	}
	sent, err := flood.Run(ctx, lab.Sendto, o.duration)
	if err != nil {
		return r, err
	}
	if r.saw, err = stop(); err != nil {
		return r, err
	}
	after, err := flood.Drops()
	if err != nil {
		return r, err
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	r.rate = float64(sent.Total()) / sent.Elapsed.Seconds()
	r.dropped = after - before
	return r, nil
}

// show writes the table of docs/performance.md.
func show(w io.Writer, tracers []tracer, results [][]result) error {
	fmt.Fprintf(w, "untraced: %s packets/s (median of %d rounds)\n\n",
		profile.Thousands(uint64(median(results[0], func(r result) float64 { return r.rate }))), len(results[0]))
	fmt.Fprintf(w, "| %-27s | %-6s | %-11s | %-9s | %-12s | %-9s | %-8s | %s |\n",
		"tracer", "keeps", "least–most", "counted", "file", "CPU", "resident", "lost")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for i, t := range tracers {
		rounds := results[i]
		var shares []float64
		counted := "exact"
		for round, r := range rounds {
			shares = append(shares, r.rate/results[0][round].rate)
			switch {
			case r.counted == 0:
				counted = "-"
			case r.counted != r.dropped:
				counted = fmt.Sprintf("%+d", int64(r.counted-r.dropped))
			}
		}
		slices.Sort(shares)
		last := rounds[len(rounds)-1]
		if _, err := fmt.Fprintf(w, "| %-27s | %.3f | %.3f–%.3f | %s | %s | %s | %s | %s |\n", t.name,
			shares[len(shares)/2], shares[0], shares[len(shares)-1], counted,
			size(int64(median(rounds, func(r result) float64 { return float64(r.fileSize) }))),
			time.Duration(median(rounds, func(r result) float64 { return float64(r.cpu) })).Round(10*time.Millisecond),
			size(last.resident), last.lost); err != nil {
			return err
		}
	}
	return nil
}

func median(results []result, of func(result) float64) float64 {
	var values []float64
	for _, r := range results {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func size(n int64) string {
	switch {
	case n == 0:
		return "-"
	case n < 1<<20:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}
