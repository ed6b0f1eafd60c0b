// SPDX-License-Identifier: Apache-2.0

package usersymbol

import "testing"

func TestCache(t *testing.T) {
	c := newCache[string, int](10)
	steps := []struct {
		name  string
		do    func()
		kept  string
		bytes int
	}{
		{"room for all", func() { c.put("a", 1, 4); c.put("b", 2, 4) }, "ab", 8},
		{"the one not asked for goes", func() { c.get("a"); c.put("c", 3, 4) }, "ac", 8},
		{"another value", func() { c.put("a", 4, 5) }, "ac", 9},
		{"too large", func() { c.put("d", 5, 11) }, "ac", 9},
		{"too large now", func() { c.put("a", 6, 11) }, "c", 4},
		{"all room", func() { c.put("e", 7, 10) }, "e", 10},
	}
	for _, step := range steps {
		step.do()
		kept := ""
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			if _, ok := c.entries[key]; ok {
				kept += key
			}
		}
		if kept != step.kept || c.used != step.bytes || c.order.Len() != len(kept) {
			t.Errorf("%s: %s in %d bytes, want %s in %d", step.name, kept, c.used, step.kept, step.bytes)
		}
	}
	if v, ok := c.get("e"); v != 7 || !ok {
		t.Errorf("%d, %t", v, ok)
	}
}
