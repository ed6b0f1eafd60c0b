// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"bytes"
	"testing"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// TestOpen opens a picture in every way there is. Tabs fail on anything that
// pages complain of, violations of their content policy among it.
func TestOpen(t *testing.T) {
	picture, page := svg(t, drops(), options()), html(t, drops(), options())
	policy := flamegraph.ContentSecurityPolicy()
	tests := []struct{ name, url string }{
		{"SVG from disk", save(t, "a.svg", picture)},
		{"HTML from disk", save(t, "a.html", page)},
		{"XHTML from disk", save(t, "a.xhtml", page)},
		{"SVG in somebody's page", save(t, "report.html", inline(picture))},
		{"SVG with a policy", serve(t, "image/svg+xml", policy, picture)},
		{"HTML with a policy", serve(t, "text/html", policy, page)},
		{"SVG in somebody's page with a policy", serve(t, "text/html", policy, inline(picture))},
	}
	m := newModel(drops())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tab := open(t, tt.url)
			tab.checkPlaces(m, byPackets, "")
			tab.click(backlog)
			tab.checkPlaces(m, byPackets, backlog)
			tab.clickOn("button", "bytes")
			tab.search("ip_rcv")
			if got, want := tab.text(".about h2"), "CPU_BACKLOG"; got != want {
				t.Errorf("explained is %q, want %q", got, want)
			}
		})
	}
}

// TestTamperedScript sees that the policy is what keeps scripts from running,
// so that TestOpen would notice one that is not the picture's own.
func TestTamperedScript(t *testing.T) {
	tampered := bytes.Replace(svg(t, drops(), options()), []byte("'use strict';"), []byte("'use strict';window.tampered = true;"), 1)
	for _, tt := range []struct {
		name, policy string
		runs         bool
	}{
		{"policy", flamegraph.ContentSecurityPolicy(), false},
		{"no policy", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tab := open(t, serve(t, "image/svg+xml", tt.policy, tampered))
			ran := eval[bool](tab, `window.tampered === true`)
			drawn := eval[bool](tab, `document.querySelector('[role=treeitem]') !== null`)
			if ran != tt.runs || drawn != tt.runs {
				t.Errorf("the script ran: %v, drew: %v; want %v", ran, drawn, tt.runs)
			}
			if !tt.runs && !tab.hears("violates script-src-elem") {
				t.Error("no violation was seen")
			}
		})
	}
}

// TestTamperedStyle sees the same of styles.
func TestTamperedStyle(t *testing.T) {
	tampered := bytes.Replace(svg(t, drops(), options()), []byte("<style>"), []byte("<style>.root { fill: red }"), 1)
	tab := open(t, serve(t, "image/svg+xml", flamegraph.ContentSecurityPolicy(), tampered))
	if !tab.hears("violates style-src-elem") {
		t.Error("no violation was seen")
	}
}

// TestComplaints sees that tabs notice what TestOpen is about.
func TestComplaints(t *testing.T) {
	for name, script := range map[string]string{
		"console":   `console.error('oh')`,
		"exception": `setTimeout(() => { throw new Error('oh') })`,
		"dialog":    `setTimeout(() => alert('oh'))`,
	} {
		t.Run(name, func(t *testing.T) {
			tab := open(t, save(t, "a.html", []byte("<script>"+script+"</script>")))
			if !tab.hears(name + ": ") {
				t.Error("nothing was noticed")
			}
		})
	}
}
