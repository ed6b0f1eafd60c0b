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
		picture, negative := DrawPProf(p)
		if len(picture.Samples)+negative != len(p.Sample) {
			t.Errorf("%d samples drawn, %d left out of %d", len(picture.Samples), negative, len(p.Sample))
		}
		if len(picture.Samples) > 0 && len(picture.Options.Measures) != 1+len(picture.Samples[0].More) {
			t.Errorf("%d measures for %d values", len(picture.Options.Measures), 1+len(picture.Samples[0].More))
		}
		if g, err := flamegraph.New(slices.Values(picture.Samples)); err != nil && g != nil {
			t.Error("an error and a graph")
		}
	})
}
