// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// svgOf returns the svg element of an HTML page, which has to be the same to
// the two kinds of parsers: that of XML and that of browsers.
func svgOf(tb testing.TB, page []byte) []byte {
	tb.Helper()
	if err := xml.Unmarshal(page, new(struct{})); err != nil {
		tb.Fatalf("not well-formed: %v", err)
	}
	from, to := bytes.Index(page, []byte("<svg ")), bytes.LastIndex(page, []byte("</svg>"))
	svg := page[from : to+len("</svg>")]

	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		tb.Fatal(err)
	}
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "svg" {
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		tb.Fatalf("%d svg elements", len(found))
	}
	seen, want := nodesOf(found[0]), tokensOf(tb, svg)
	for i := range max(len(seen), len(want)) {
		if i >= len(seen) || i >= len(want) || seen[i] != want[i] {
			tb.Fatalf("node %d: a browser sees %q, XML has %q", i, seen[min(i, len(seen)):], want[min(i, len(want)):])
		}
	}
	return svg
}

// nodesOf lists elements and their text, as browsers see them.
func nodesOf(root *html.Node) (list []string) {
	for n := range root.Descendants() {
		switch {
		case n.Type == html.ElementNode:
			list = append(list, "<"+n.Data+">")
		case n.Type == html.TextNode && strings.TrimSpace(n.Data) != "":
			list = append(list, n.Data)
		}
	}
	return list
}

// tokensOf lists the same of XML, without the root.
func tokensOf(tb testing.TB, text []byte) (list []string) {
	tb.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if token == nil {
			return list[1:]
		}
		if err != nil {
			tb.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			list = append(list, "<"+token.Name.Local+">")
		case xml.CharData:
			if strings.TrimSpace(string(token)) != "" {
				list = append(list, string(token))
			}
		}
	}
}

func TestWriteHTML(t *testing.T) {
	in, err := os.ReadFile(filepath.Join("testdata", "strange.folded"))
	if err != nil {
		t.Fatal(err)
	}
	folded, err := Parse(bytes.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	g := merge(t, folded.Samples)
	o := Options{Title: "<b>&\x1b", Subtitle: "</svg><script>alert(1)</script>"}
	var page bytes.Buffer
	if err := g.WriteHTML(&page, o); err != nil {
		t.Fatal(err)
	}
	svg := svgOf(t, page.Bytes())
	checkStacks(t, folded.Samples, readPicture(t, svg))

	// It is the same picture as the SVG file, which has its style in itself.
	_, alone, _ := bytes.Cut(draw(t, g, o), []byte("\n"))
	alone = bytes.Replace(alone, []byte("<style>"+style+"</style>\n"), nil, 1)
	if !bytes.Equal(alone, append(svg, '\n')) {
		t.Error("the picture differs from the SVG file's")
	}
	var document struct {
		Head struct {
			Title string   `xml:"title"`
			Style []string `xml:"style"`
			Meta  []struct {
				Equiv   string `xml:"http-equiv,attr"`
				Content string `xml:"content,attr"`
			} `xml:"meta"`
		} `xml:"head"`
	}
	if err := xml.Unmarshal(page.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if got := document.Head; got.Title != `<b>&\x1b` || len(got.Style) != 1 || got.Style[0] != style || got.Meta[1].Content != ContentSecurityPolicy() {
		t.Errorf("head is %+v", got)
	}
}
