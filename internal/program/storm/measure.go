// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/pkg/spell"
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
		spell.Thousands(uint64(median(results[0], func(r result) float64 { return r.rate }))), len(results[0]))
	fmt.Fprintf(w, "| %-27s | %-6s | %-11s | %-9s | %-12s | %-9s | %-8s | %s |\n",
		"tracer", "keeps", "least–most", "counted", "file", "CPU", "resident", "lost")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|")
	for i, t := range tracers {
		rounds := results[i]
		var shares []float64
		var lost []string
		for round, r := range rounds {
			shares = append(shares, r.rate/results[0][round].rate)
			lost = append(lost, r.lost)
		}
		slices.Sort(shares)
		if _, err := fmt.Fprintf(w, "| %-27s | %.3f | %.3f–%.3f | %s | %s | %s | %s | %s |\n", t.name,
			shares[len(shares)/2], shares[0], shares[len(shares)-1], compared(rounds),
			size(int64(median(rounds, func(r result) float64 { return float64(r.fileSize) }))),
			time.Duration(median(rounds, func(r result) float64 { return float64(r.cpu) })).Round(10*time.Millisecond),
			size(int64(median(rounds, func(r result) float64 { return float64(r.resident) }))), each(lost)); err != nil {
			return err
		}
	}
	return nil
}

// compared says how many of nft's drops a tracer counted in all rounds.
func compared(rounds []result) string {
	least, most := math.Inf(1), math.Inf(-1)
	for _, r := range rounds {
		if r.counted == 0 {
			return "-"
		}
		share := 100 * float64(r.counted) / float64(r.dropped)
		least, most = min(least, share), max(most, share)
	}
	if least == 100 && most == 100 {
		return "exact"
	}
	return fmt.Sprintf("%.2f–%.2f %%", least, most)
}

// each lists what was said in all rounds, once if it was always the same.
func each(said []string) string {
	slices.Sort(said)
	return cmp.Or(strings.Join(slices.Compact(said), ", "), "-")
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
