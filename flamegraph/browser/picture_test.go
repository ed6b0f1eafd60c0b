// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/dropwatch/dropwatch/flamegraph"
)

func graphOf(tb testing.TB, samples []flamegraph.Sample) *flamegraph.Graph {
	tb.Helper()
	g, err := flamegraph.New(slices.Values(samples))
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

// svg draws samples.
func svg(tb testing.TB, samples []flamegraph.Sample, o flamegraph.Options) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := graphOf(tb, samples).WriteSVG(&b, o); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// html draws samples as a page.
func html(tb testing.TB, samples []flamegraph.Sample, o flamegraph.Options) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := graphOf(tb, samples).WriteHTML(&b, o); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// inline puts SVGs into somebody's page.
func inline(svgs ...[]byte) []byte {
	page := []byte(`<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Report</title></head><body marginwidth="0"><main><h1>Report</h1>`)
	for _, svg := range svgs {
		_, svg, _ = bytes.Cut(svg, []byte("?>\n"))
		page = append(append(page, svg...), "<p id=\"end\">text</p>"...)
	}
	return append(page, "</main></body></html>"...)
}

// save writes a file and returns its address.
func save(tb testing.TB, name string, content []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		tb.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// serve offers content with a content policy, if any, and returns its address.
func serve(tb testing.TB, kind, policy string, content []byte) string {
	tb.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/picture" {
			w.WriteHeader(http.StatusNoContent) // the page's icon
			return
		}
		w.Header().Set("Content-Type", kind)
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		w.Write(content)
	}))
	tb.Cleanup(server.Close)
	return server.URL + "/picture"
}

// openSVG shows samples drawn as an SVG file.
func openSVG(tb testing.TB, samples []flamegraph.Sample, o flamegraph.Options) *tab {
	tb.Helper()
	return open(tb, save(tb, "picture.svg", svg(tb, samples, o)))
}
