// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"io/fs"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestParseList(t *testing.T) {
	for text, want := range map[string][]int{
		"0-3,8\n":  {0, 1, 2, 3, 8},
		"7\n":      {7},
		"\n":       nil,
		"0-":       nil,
		"3-x":      nil,
		"3-1":      nil,
		"0-1,4-5":  {0, 1, 4, 5},
		"0,2,7":    {0, 2, 7},
		"-1":       nil,
		"0-999999": nil,
	} {
		if diff := cmp.Diff(want, parseList(text)); diff != "" {
			t.Errorf("%q: -want +got\n%s", text, diff)
		}
	}
}

func TestMask(t *testing.T) {
	for text, want := range map[string][]int{
		"0":           nil,
		"3":           {0, 1},
		"80000000":    {31},
		"1,00000000":  {32},
		"ff,00000005": {0, 2, 32, 33, 34, 35, 36, 37, 38, 39},
	} {
		if diff := cmp.Diff(want, parseMask(text+"\n")); diff != "" {
			t.Errorf("%q: -want +got\n%s", text, diff)
		}
		if got := Mask(want); got != text {
			t.Errorf("got mask %q, want %q", got, text)
		}
	}
	for _, text := range []string{"", "g", "100000000", "1,,2"} {
		if got := parseMask(text); got != nil {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

// FuzzCPUs: a set of CPUs comes back from its mask, and every list is sane.
func FuzzCPUs(f *testing.F) {
	for _, text := range []string{"0-3,8", "ff,00000001", "1,00000000", "0-8191", "8192", ",", "-"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if cpus := parseMask(text); !slices.Equal(parseMask(Mask(cpus)), cpus) {
			t.Errorf("%q: %v has mask %s", text, cpus, Mask(cpus))
		}
		for _, cpu := range parseList(text) {
			if cpu < 0 || cpu > maxCPU {
				t.Fatalf("%q: CPU %d", text, cpu)
			}
		}
	})
}

// TestPossibleCPUs reads what kernels of several machines print.
func TestPossibleCPUs(t *testing.T) {
	for text, want := range map[string][]int{
		"0\n":        {0},
		"0-1\n":      {0, 1},
		"0-3,8-11\n": {0, 1, 2, 3, 8, 9, 10, 11},
		"0,2\n":      {0, 2},
		"1-2\n":      {1, 2},
		"\n":         nil,
		"all\n":      nil,
	} {
		root := Root{fstest.MapFS{"sys/devices/system/cpu/possible": &fstest.MapFile{Data: []byte(text)}}}
		got, err := root.PossibleCPUs()
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want != nil) {
			t.Errorf("%q: %v, -want +got\n%s", text, err, diff)
		}
	}
	if _, err := (Root{fstest.MapFS{}}).PossibleCPUs(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v without a file", err)
	}
}
