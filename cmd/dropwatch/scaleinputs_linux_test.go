// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// TestScaleInputs gives flamegraph files of a megabyte that are made to take much memory:
// it draws them or refuses them within a quarter of a gigabyte.
func TestScaleInputs(t *testing.T) {
	const mega, most = 1 << 20, 256 << 10 // KiB
	gzipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	lines := func(format string, size int) string {
		var b strings.Builder
		for i := 0; b.Len() < size; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, file := range map[string]string{
		"short lines":         strings.Repeat("a 1\n", mega/4),
		"different lines":     lines("%x 1\n", mega),
		"two counts":          lines("%x 1 2\n", mega),
		"one deep stack":      strings.Repeat(";", mega-3) + " 1\n",
		"deep stacks":         lines("%d;"+strings.Repeat("x;", 500)+"y 1\n", mega),
		"brackets":            strings.Repeat("[; ", mega/3) + " 1\n",
		"brackets to the end": "a" + strings.Repeat("[", mega/4) + strings.Repeat("; ]", mega/4) + " 1\n",
		"packed lines":        gzipped(lines("main;f%d;g 1\n", 5*mega)),
		"a packed line":       gzipped(strings.Repeat("a", 300*mega) + " 1\n"),
		"samples":             samples(t, mega, false),
		"samples with labels": samples(t, mega/2, true),
		"packed samples":      gzipped(samples(t, 20*mega, false)),
		"addresses":           "heap profile: 1: 1 [1: 1] @ heap/1\n" + lines("1: 1 [1: 1] @ 0x%x\n", mega),
	} {
		t.Run(name, func(t *testing.T) {
			if len(file) > 3*mega {
				t.Fatalf("the file has %d bytes", len(file))
			}
			cmd := exec.Command(os.Args[0], "flamegraph", "-", "-o", os.DevNull)
			cmd.Env, cmd.Stdin = append(os.Environ(), asDropwatch+"="+withPeak), strings.NewReader(file)
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != statusDone && code != statusFailed || bytes.Count(out, []byte("\n")) > 2 {
				t.Errorf("%v\n%s", err, out)
			}
			_, text, _ := strings.Cut(string(out), peakText)
			peak, err := strconv.Atoi(strings.TrimSpace(text))
			if err != nil || peak > most {
				t.Errorf("%d KiB of memory, %d at most, error %v\n%s", peak, most, err, out)
			}
		})
	}
}

// samples returns a profile of about so many bytes that consists of small samples.
func samples(t *testing.T, size int, labeled bool) string {
	t.Helper()
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "calls", Unit: "count"}}}
	s := &profile.Sample{Value: []int64{1}}
	each := 4
	if labeled {
		s.NumLabel, each = map[string][]int64{"n": {1}}, 10
	}
	for range size / each {
		p.Sample = append(p.Sample, s)
	}
	var b bytes.Buffer
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
