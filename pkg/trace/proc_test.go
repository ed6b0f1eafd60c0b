// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"slices"
	"strings"
	"testing"
)

const (
	softirqText = "                    CPU0       CPU1       \n          HI:          0          0\n      NET_RX:  977646981   32443260\n"
	fdinfoText  = "pos:\t0\nflags:\t02000002\nprog_type:\t26\nprog_jited:\t1\nrun_cnt:\t7\nrecursion_misses:\t12\nverified_insns:\t893\n"
	statText    = "7 (cat) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 250 1 1\n"
	cgroupText  = "4:memory:/kubepods/pod1/c1\n1:cpu:/\n0::/init.scope\n"
)

func TestProcFiles(t *testing.T) {
	if got := parseSoftirqs([]byte(softirqText)); !slices.Equal(got, []uint64{977646981, 32443260}) {
		t.Errorf("NET_RX ran %d times", got)
	}
	if got := parseSoftirqs([]byte("NET_RX: 1 x\n")); got != nil {
		t.Errorf("NET_RX ran %d times, by a file that is wrong", got)
	}
	if got := parseMissed(strings.NewReader(fdinfoText)); got == nil || *got != 12 {
		t.Errorf("missed %v, want 12", got)
	}
	if got := parseMissed(strings.NewReader("pos:\t0\nrecursion_misses:\tx\n")); got != nil {
		t.Errorf("missed %d, by a file that is wrong", *got)
	}
	if got, v1 := groupOf(cgroupText); got != "/kubepods/pod1/c1" || !v1 {
		t.Errorf("group %q, of version 1: %t", got, v1)
	}
}

// FuzzProcFiles: whatever the files say, nothing comes out that is not in them.
func FuzzProcFiles(f *testing.F) {
	for _, text := range []string{softirqText, fdinfoText, cgroupText, statText} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n := len(parseSoftirqs([]byte(text))); n > len(strings.Fields(text)) {
			t.Errorf("%d CPUs", n)
		}
		if parseMissed(strings.NewReader(text)) != nil && !strings.Contains(text, "recursion_misses:") {
			t.Error("misses without recursion_misses in the text")
		}
		if path, _ := groupOf(text); !strings.Contains(text, path) || strings.Contains(path, "\n") {
			t.Errorf("path %q", path)
		}
		if started, ending, ok := parseStat(text); started < 0 || !ok && (started != 0 || ending) {
			t.Errorf("started at %v, ends %t, known %t", started, ending, ok)
		}
	})
}
