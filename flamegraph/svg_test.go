// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files in testdata")

// layers are the options of a typical caller.
func layers() Options {
	return Options{
		Title:    "Dropped packets",
		Subtitle: "10 minutes, 4,821,377 packets dropped, 8,036 a second",
		Notes:    []string{"Widths are packets; the frame on top is the reason."},
		Measures: []Measure{
			{Name: "packets", Unit: "packets"},
			{Name: "rate", Unit: "packets/s", Scale: 1. / 600},
		},
		Categories: []Category{
			{"driver", Blue}, {"netfilter", Green}, {"IP", Sky}, {"TCP", Yellow}, {"UDP", Purple}, {"Wi-Fi", Pink},
		},
		CategoryOf: layerOf,
		Muted:      func(frame, _ string) bool { return frame == "NO_SOCKET" },
		Explain: func(frame, _ string) []Fact {
			if frame != "CPU_BACKLOG" {
				return nil
			}
			return []Fact{{"Meaning", "The CPU's <backlog> is full."}, {"Dropped by", ""}}
		},
	}
}

// layerOf sorts frames by their first letters.
func layerOf(frame, _ string) string {
	for _, l := range [][2]string{
		{"mlx5", "driver"}, {"CPU", "driver"}, {"nf", "netfilter"}, {"NETF", "netfilter"},
		{"ip_", "IP"}, {"IP_", "IP"}, {"tcp_", "TCP"}, {"udp_", "UDP"}, {"SOCKET", "UDP"},
	} {
		if strings.HasPrefix(frame, l[0]) {
			return l[1]
		}
	}
	return ""
}

func TestWriteSVGGolden(t *testing.T) {
	icicle := layers()
	icicle.Icicle = true
	tests := []struct {
		name, in string
		options  Options
	}{
		{"flame", "drops.folded", layers()},
		{"icicle", "drops.folded", icicle},
		{"plain", "drops.folded", Options{}},
		{"strange", "strange.folded", Options{Title: "<b>&\x1b", Subtitle: "]]>", Measures: []Measure{{Unit: "<u>"}}, Notes: []string{"\xff"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in, err := os.ReadFile(filepath.Join("testdata", tt.in))
			if err != nil {
				t.Fatal(err)
			}
			// The script and the style have tests of their own and would
			// change every golden file with them.
			got := draw(t, merge(t, parse(t, in)), tt.options)
			checkNesting(t, readPicture(t, got).rows())
			got = bytes.Replace(got, []byte(script()), []byte("script"), 1)
			got = bytes.Replace(got, []byte(style), []byte("style"), 1)
			golden := filepath.Join("testdata", tt.name+".svg")
			if *update {
				if err := os.WriteFile(golden, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func TestWriteSVGSameBytes(t *testing.T) {
	in := "a;b 5\na;b.cold 3\na;b;c 4\nd;e 2\nf 9\n"
	lines := strings.SplitAfter(in, "\n")
	shuffled := lines[3] + lines[1] + lines[4] + lines[0] + lines[2]
	one, two := draw(t, merge(t, parse(t, []byte(in))), layers()), draw(t, merge(t, parse(t, []byte(shuffled))), layers())
	if diff := cmp.Diff(string(one), string(two)); diff != "" {
		t.Errorf("(-one order +another):\n%s", diff)
	}
}

// limited is a writer that takes so many bytes.
type limited struct{ left int }

var errFull = errors.New("disk full")

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteSVGFails(t *testing.T) {
	some := "a;b 3\n"
	tests := []struct {
		name, in string
		options  Options
		room     int
		want     string
	}{
		{"nothing", "", Options{}, 0, "no samples to draw"},
		{"only zeros", "a 0\n", Options{}, 0, "no samples to draw"},
		{"share above 1", some, Options{MinShare: 2}, 0, "minimum share 2 is not within 0 and 1"},
		{"share below 0", some, Options{MinShare: -1}, 0, "minimum share -1 is not within 0 and 1"},
		{"no color", some, Options{Categories: []Category{{"x", 99}}}, 0, `category "x": no color 99`},
		{"full at once", some, Options{}, 0, "write svg: disk full"},
		{"full later", strings.Repeat("a", 200_000) + some, Options{}, 100_000, "write svg: disk full"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &limited{tt.room}
			err := merge(t, parse(t, []byte(tt.in))).WriteSVG(w, tt.options)
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
			if tt.room == 0 && !errors.Is(err, errFull) && w.left != 0 {
				t.Error("something was written")
			}
		})
	}
}

func TestWriteSVGContent(t *testing.T) {
	p := readPicture(t, draw(t, merge(t, parse(t, []byte("a;b 1234567\na;<c> 400000\n"))), layers()))
	var titles []string
	for _, row := range p.rows() {
		for _, r := range row.Rects {
			titles = append(titles, r.Title)
		}
	}
	want := []string{
		"all\n1,634,567 packets, 100%", "a\n1,634,567 packets, 100%",
		"<c>\n400,000 packets, 24.47%", "b\n1,234,567 packets, 75.53%",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("tooltips (-want +got):\n%s", diff)
	}
	if want := map[string][]uint64{"a;b": {1234567}, "a;<c>": {400000}}; !cmp.Equal(want, p.stacks) {
		t.Errorf("data (-want +got):\n%s", cmp.Diff(want, p.stacks))
	}
}

func TestWriteSVGLongNamesAndDeepStacks(t *testing.T) {
	long := strings.Repeat("n", 10_000)
	deep := strings.Repeat("f;", 1999) + "f"
	svg := draw(t, merge(t, parse(t, fmt.Appendf(nil, "%s 5\n%s 5\n", long, deep))), Options{})
	p := readPicture(t, svg)
	rows := p.rows()
	if len(rows) != 2001 {
		t.Errorf("%d rows", len(rows))
	}
	checkNesting(t, rows)
	if title := rows[1].Rects[1].Title; title != long+"\n5, 50.00%" {
		t.Errorf("tooltip is %.100s", title)
	}
	if label := rows[1].Texts[1].Text; len(label) > 100 || !strings.HasSuffix(label, "…") {
		t.Errorf("label is %.100s", label)
	}
}

// TestWriteSVGSize holds the sizes that viewers bear, with bytes beside packets.
func TestWriteSVGSize(t *testing.T) {
	most := map[string]int{"typical": 200_000, "big": 4_000_000}
	for _, p := range benchProfiles {
		t.Run(p.name, func(t *testing.T) {
			samples := parse(t, p.folded())
			for i := range samples {
				samples[i].More = []uint64{samples[i].Value*1400 + uint64(i%97)}
			}
			svg := draw(t, merge(t, samples), Options{Title: "Drops", Measures: []Measure{
				{Name: "packets", Unit: "packets"}, {Name: "bytes", Unit: "bytes", Column: 1}, {Name: "rate", Unit: "packets/s", Scale: 0.1},
			}})
			if len(svg) > most[p.name] {
				t.Errorf("%d bytes, want at most %d", len(svg), most[p.name])
			}
			checkNesting(t, readPicture(t, svg).rows())
		})
	}
}
