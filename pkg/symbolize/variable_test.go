// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"maps"
	"testing"
	"testing/fstest"
)

// TestVariables reads lines of Debian's 5.10, in which per-CPU variables have offsets.
func TestVariables(t *testing.T) {
	const shown = `0000000000000000 A fixed_percpu_data
000000000001a1c0 A __preempt_count
000000000002ac40 A runqueues
ffffffff81000000 T _stext
ffffffff82c1a000 d runqueues	[other]
`
	const hidden = "0000000000000000 A __preempt_count\n0000000000000000 A runqueues\n"
	for name, test := range map[string]struct {
		text  string
		want  map[string]uint64
		fails bool
	}{
		"shown":   {text: shown, want: map[string]uint64{"__preempt_count": 0x1a1c0, "runqueues": 0x2ac40}},
		"hidden":  {text: hidden},
		"invalid": {text: "zz A runqueues\n", fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			files := fstest.MapFS{kallsyms: {Data: []byte(test.text)}}
			got, err := Variables(files, "runqueues", "__preempt_count", "pcpu_hot")
			if (err != nil) != test.fails || !maps.Equal(got, test.want) {
				t.Errorf("got %v, %v, want %v", got, err, test.want)
			}
		})
	}
	if _, err := Variables(fstest.MapFS{}, "runqueues"); err == nil {
		t.Error("no error without /proc/kallsyms")
	}
}
