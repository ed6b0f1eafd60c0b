// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"
)

// A told is an element as assistive programs are told of it.
type told struct {
	Role, Name string
	Properties map[string]any
}

// tell returns the accessibility tree, root first.
func (t *tab) tell() []told {
	t.Helper()
	plain := func(v *accessibility.Value) (value any) {
		if v == nil {
			return ""
		}
		if err := json.Unmarshal(v.Value, &value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	var all []told
	for _, n := range call(t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{}).Nodes {
		if n.Ignored {
			continue
		}
		e := told{Role: fmt.Sprint(plain(n.Role)), Name: fmt.Sprint(plain(n.Name)), Properties: make(map[string]any)}
		for _, p := range n.Properties {
			e.Properties[string(p.Name)] = plain(p.Value)
		}
		all = append(all, e)
	}
	return all
}

// withRole returns the elements of a role.
func withRole(all []told, role string) []told {
	return slices.DeleteFunc(slices.Clone(all), func(e told) bool { return e.Role != role })
}

// roles are those of elements that the Tab key may lead to.
var roles = []string{"RootWebArea", "button", "searchbox", "treeitem"}

// checkTold holds a page to what holds in any state.
func (t *tab) checkTold(levels int) {
	t.Helper()
	all := t.tell()
	for _, e := range all {
		if e.Properties["focusable"] == true && (strings.TrimSpace(e.Name) == "" || !slices.Contains(roles, e.Role)) {
			t.Errorf("the keyboard leads to %+v", e)
		}
	}
	for _, e := range withRole(all, "button") {
		if pressed := e.Properties["pressed"]; (pressed == nil) != (e.Name == "Reset zoom") {
			t.Errorf("button %q is pressed: %v", e.Name, pressed)
		}
	}
	items := withRole(all, "treeitem")
	seen := make(map[float64]bool)
	for _, e := range items {
		level, _ := e.Properties["level"].(float64)
		if level < 1 || level > 1 && !seen[level-1] {
			t.Errorf("%q has level %v", e.Name, e.Properties["level"])
		}
		seen[level] = true
	}
	if len(seen) != levels || len(items) != len(t.boxes()) {
		t.Errorf("%d levels of %d frames, want %d of %d", len(seen), len(items), levels, len(t.boxes()))
	}
	if status := withRole(all, "status"); len(status) != 1 || status[0].Properties["live"] != "polite" {
		t.Errorf("the result of a search is %+v", status)
	}
	if headings := withRole(all, "heading"); len(headings) == 0 || headings[0].Properties["level"] != 1.0 || headings[0].Name == "" {
		t.Errorf("headings are %+v", headings)
	}
	for _, e := range withRole(all, "StaticText") {
		if slices.ContainsFunc(items, func(item told) bool { return e.Name == strings.Split(item.Name, ",")[0] }) && !t.panel().Shown {
			t.Errorf("label %q is told as well as its frame", e.Name)
		}
	}
	t.checkElements()
}

// checkElements holds a page to what the tree does not tell.
func (t *tab) checkElements() {
	t.Helper()
	number := func(selector string) int {
		return eval[int](t, `document.querySelectorAll(`+quoted(selector)+`).length`)
	}
	for selector, want := range map[string]int{
		`.frames [role=treeitem][tabindex="0"]`:                               1,
		`[tabindex]:not([tabindex="0"], [tabindex="-1"])`:                     0,
		`[aria-hidden=true] [tabindex], [aria-hidden=true] :is(button,input)`: 0,
		`[role=tree] > :not([role=treeitem])`:                                 0,
		`[lang=""], html:not([lang])`:                                         0,
	} {
		if got := number(selector); got != want {
			t.Errorf("%d elements are %s, want %d", got, selector, want)
		}
	}
	twice := eval[[]string](t, `[...document.querySelectorAll('[id]')].map((e) => e.id).filter((id, i, ids) => ids.indexOf(id) !== i)`)
	if len(twice) > 0 {
		t.Errorf("ids used twice: %q", twice)
	}
	if lang, title := eval[string](t, `document.documentElement.lang || document.documentElement.getAttribute('lang')`), eval[string](t, `document.title`); lang != "en" || title == "" {
		t.Errorf("the page is in %q and called %q", lang, title)
	}
}

func TestAccess(t *testing.T) {
	for name, url := range map[string]string{
		"SVG":  save(t, "a.svg", svg(t, drops(), options())),
		"HTML": save(t, "a.html", html(t, drops(), options())),
	} {
		t.Run(name, func(t *testing.T) {
			tab := open(t, url)
			tab.checkTold(8)
			all := tab.tell()
			if got, want := len(withRole(all, "main")), map[string]int{"HTML": 1}[name]; got != want {
				t.Errorf("%d main landmarks, want %d", got, want)
			}
			if got := withRole(all, "tree"); len(got) != 1 || got[0].Name != "frames, root first" {
				t.Errorf("trees are %+v", got)
			}
			tab.click(backlog)
			tab.checkTold(6)
			if got := withRole(tab.tell(), "region"); len(got) != 1 || got[0].Name != "CPU_BACKLOG" || got[0].Properties["live"] != "polite" {
				t.Errorf("regions are %+v", got)
			}
			tab.search("(")
			if got := withRole(tab.tell(), "searchbox"); len(got) != 1 || got[0].Properties["invalid"] != "true" {
				t.Errorf("the search is %+v", got)
			}
			tab.press(kb.Escape)
			tab.press(kb.Escape)
			tab.clickOn(".switch button", "bytes")
			tab.clickAt(legendKey(0))
			tab.checkTold(8)
			var pressed []string
			for _, e := range tab.tell() {
				if e.Properties["pressed"] == "true" {
					pressed = append(pressed, e.Name)
				}
			}
			slices.Sort(pressed)
			if diff := cmp.Diff([]string{"bytes", newModel(drops()).legend(byBytes)[0]}, pressed); diff != "" {
				t.Errorf("pressed (-want +got):\n%s", diff)
			}
		})
	}
}
