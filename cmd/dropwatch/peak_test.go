// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
)

// withPeak is the value of asDropwatch that makes this test binary behave as dropwatch
// and tell at last how much memory it took. What the parent of a process learns of that
// includes the parent's own (exec_mmap, fs/exec.c).
const withPeak = "with-peak"

// peakText comes before the most memory that was taken, in KiB.
const peakText = "peak KiB: "

func mainWithPeak() {
	s := streams{os.Stdin, os.Stdout, os.Stderr, new(colorMode)}
	err := run(context.Background(), os.Args[1:], s)
	if err != nil {
		complain(s.err, err)
	}
	text, _ := os.ReadFile("/proc/self/status")
	if peak := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text); peak != nil {
		fmt.Fprintf(os.Stderr, "%s%s\n", peakText, peak[1])
	}
	os.Exit(status(err))
}
