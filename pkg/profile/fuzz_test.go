// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// FuzzPProf takes any bytes for a profile, as flamegraph does with files.
func FuzzPProf(f *testing.F) {
	p, _, err := PProf(sample(), PProfOptions{})
	if err != nil {
		f.Fatal(err)
	}
	var packed, raw bytes.Buffer
	if err := errors.Join(p.Write(&packed), p.WriteUncompressed(&raw)); err != nil {
		f.Fatal(err)
	}
	f.Add(packed.Bytes())
	f.Add(raw.Bytes())
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := profile.ParseData(in)
		if err != nil {
			return
		}
		samples, types := len(p.Sample), len(p.SampleType)
		picture, err := DrawPProf([]*profile.Profile{p}, func(s *profile.Sample) bool { return len(s.Label) > 0 })
		if err != nil {
			if picture != nil {
				t.Error("an error and a picture")
			}
			return
		}
		if got := len(picture.Samples); got > samples || got == 0 && samples > 0 {
			t.Errorf("%d samples drawn of %d", got, samples)
		}
		columns := len(picture.Options.Measures)
		if picture.Options.Measure >= columns {
			t.Errorf("measure %d of %d", picture.Options.Measure, columns)
		}
		if picture.Options.Measures[0].Change != nil {
			columns /= 3
		}
		if columns > types { // those of one name are left out, as in go tool pprof
			t.Errorf("%d measures for %d values", columns, types)
		}
		for _, s := range picture.Samples {
			if 1+len(s.More) != len(picture.Options.Measures) {
				t.Errorf("%d values for %d measures", 1+len(s.More), len(picture.Options.Measures))
			}
		}
		if g, err := flamegraph.New(slices.Values(picture.Samples)); err != nil && g != nil {
			t.Error("an error and a graph")
		}
	})
}
