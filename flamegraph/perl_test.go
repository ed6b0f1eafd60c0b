// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPerl compares with flamegraph.pl, which draws the same stacks, all of
// them too, where it is installed: how many times as long it takes, process
// start and all, as going from folded stacks to a picture here does.
func BenchmarkPerl(b *testing.B) {
	perl, err := exec.LookPath("flamegraph.pl")
	if err != nil {
		b.Log("flamegraph.pl is not in PATH: nothing to compare with")
		return
	}
	for _, p := range benchProfiles {
		b.Run(p.name, func(b *testing.B) {
			in := p.folded()
			var theirs, ours time.Duration
			var size count
			for b.Loop() {
				size = 0
				cmd := exec.Command(perl, "--minwidth=0")
				cmd.Stdin, cmd.Stdout = bytes.NewReader(in), &size
				start := time.Now()
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				theirs += time.Since(start)
				start = time.Now()
				write(b, io.Discard, merge(b, parse(b, in)))
				ours += time.Since(start)
				if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
					b.ReportMetric(float64(usage.Maxrss)/1024, "perl-MiB")
				}
			}
			b.ReportMetric(theirs.Seconds()/ours.Seconds(), "times-as-long")
			b.ReportMetric(float64(size), "perl-svg-bytes")
		})
	}
}
