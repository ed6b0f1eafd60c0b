// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestParents has a name look as its parents say: it is in the file once for each way it
// looks, and asked for once below each parent.
func TestParents(t *testing.T) {
	samples := []Sample{
		{Stack: []string{"main", "read", "free"}, Value: 1},
		{Stack: []string{"main", "write", "free"}, Value: 2},
		{Stack: []string{"main", "close", "free"}, Value: 4},
		{Stack: []string{"free"}, Value: 8},
	}
	g, err := New(slices.Values(samples))
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	o := Options{
		Categories: []Category{{Name: "good", Color: Green}, {Name: "bad", Color: Red}},
		CategoryOf: func(frame, parent string) string {
			asked = append(asked, parent+">"+frame)
			switch {
			case frame == "free" && parent == "read":
				return "good"
			case frame == "free" && parent != "":
				return "bad"
			}
			return ""
		},
		Muted: func(frame, parent string) bool { return frame == "free" && parent == "read" },
		Explain: func(frame, parent string) []Fact {
			if parent == "close" {
				return []Fact{{"By", parent}}
			}
			return nil
		},
	}
	var b bytes.Buffer
	if err := g.WriteSVG(&b, o); err != nil {
		t.Fatal(err)
	}
	slices.Sort(asked)
	want := []string{">free", ">main", "close>free", "main>close", "main>read", "main>write", "read>free", "write>free"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
	_, names, _ := strings.Cut(b.String(), `<metadata class="names">`)
	names, _, _ = strings.Cut(names, "<")
	got := strings.Split(names, "\n")
	slices.Sort(got)
	// Good; bad; bad with an explanation; in no category.
	if want := []string{"close", "free", "free", "free", "free", "main", "read", "write"}; !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
	for _, share := range []string{">good <tspan>6.67%", ">bad <tspan>40.00%", ">other <tspan>53.33%"} {
		if !strings.Contains(b.String(), share) {
			t.Errorf("the legend lacks %q", share)
		}
	}
}
