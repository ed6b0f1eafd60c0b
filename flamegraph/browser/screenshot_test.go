// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/page"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// The size of pictures in testdata.
const shotWidth, shotHeight = 1000, 520

// shots are the pictures in testdata.
var shots = []struct {
	name    string
	samples []flamegraph.Sample
	change  func(o *flamegraph.Options)
	do      func(t *tab)
}{
	{"flame", drops(), nil, nil},
	{"dark", drops(), nil, func(t *tab) { t.dark(true) }},
	{"icicle", drops(), func(o *flamegraph.Options) { o.Icicle = true }, nil},
	{"change", steps(), func(o *flamegraph.Options) { *o = comparison() }, nil},
	{"change-dark", steps(), func(o *flamegraph.Options) { *o = comparison() }, func(t *tab) { t.dark(true) }},
	{"explanation", drops(), nil, func(t *tab) { t.click(backlog); t.hoverAt(shotWidth-1, shotHeight-1) }},
	{"search", drops(), nil, func(t *tab) {
		eval[any](t, `document.querySelector('.bar input').style.caretColor = 'transparent'`) // it blinks
		t.click(ipRcv)
		t.search("mlx5|ip_rcv|tcp")
	}},
	{"tip", drops(), nil, func(t *tab) { t.hover(ipRcv + ";ip_local_deliver;tcp_v4_rcv") }},
}

// shoot returns what the window shows.
func (t *tab) shoot() image.Image {
	t.Helper()
	shot := call(t, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	picture, err := png.Decode(bytes.NewReader(shot.Data))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// openShot shows samples in a window of the size of pictures.
func (t *tab) openShot(samples []flamegraph.Sample, o flamegraph.Options) {
	t.Helper()
	t.resize(shotWidth, shotHeight)
	t.hoverAt(shotWidth-1, shotHeight-1)
	t.dark(false)
	t.visit(save(t, "a.svg", svg(t, samples, o)))
}

func TestScreenshot(t *testing.T) {
	tab := newTab(t)
	for _, shot := range shots {
		t.Run(shot.name, func(t *testing.T) {
			o := options()
			if shot.change != nil {
				shot.change(&o)
			}
			tab.TB = t
			tab.openShot(shot.samples, o)
			if shot.do != nil {
				shot.do(tab)
			}
			got := tab.shoot()
			if *update {
				writePicture(t, shot.name, got)
			}
			if err := differ(readPicture(t, shot.name), got); err != nil {
				path := filepath.Join(os.TempDir(), "flamegraph-"+shot.name+".png")
				t.Errorf("%s: %v; see %s", shot.name, err, path)
				writeTo(t, path, got)
			}
		})
	}
}

// TestScreenshotDiffers sees that pictures are told apart.
func TestScreenshotDiffers(t *testing.T) {
	var all []image.Image
	for i, shot := range shots {
		all = append(all, readPicture(t, shot.name))
		for j := range i {
			if differ(all[i], all[j]) == nil {
				t.Errorf("%s looks like %s", shot.name, shots[j].name)
			}
		}
	}
	tab := newTab(t)
	more := drops()
	more[3].Value += more[3].Value / 5
	green := options()
	green.Categories[0].Color = flamegraph.Teal
	short := options()
	short.Notes = nil
	for _, tt := range []struct {
		name    string
		samples []flamegraph.Sample
		options flamegraph.Options
	}{
		{"a fifth more in one frame", more, options()},
		{"one other color", drops(), green},
		{"no notes", drops(), short},
	} {
		tab.openShot(tt.samples, tt.options)
		if err := differ(all[0], tab.shoot()); err == nil {
			t.Errorf("%s is not seen", tt.name)
		}
	}
	tab.openShot(drops(), options())
	tab.resize(shotWidth, shotHeight+1)
	if err := differ(all[0], tab.shoot()); err == nil {
		t.Error("another size is not seen")
	}
}

func readPicture(tb testing.TB, name string) image.Image {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".png"))
	if err != nil {
		tb.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(content))
	if err != nil {
		tb.Fatal(err)
	}
	return picture
}

func writePicture(tb testing.TB, name string, picture image.Image) {
	tb.Helper()
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		tb.Fatal(err)
	}
	writeTo(tb, filepath.Join("testdata", name+".png"), picture)
}

func writeTo(tb testing.TB, path string, picture image.Image) {
	tb.Helper()
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, picture); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		tb.Fatal(err)
	}
}
