// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestIDs: IDs are those that docs/findings.md has a row for, and each is a text in a rule.
func TestIDs(t *testing.T) {
	ids := slices.Sorted(slices.Values(IDs()))
	doc, err := os.ReadFile("../../docs/findings.md")
	check(t, err)
	var documented []string
	table, _, _ := strings.Cut(string(doc), "\n## ")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		for id := range strings.SplitSeq(cells[1], ",") {
			documented = append(documented, strings.Trim(id, " `"))
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(ids, documented); diff != "" {
		t.Errorf("-IDs +docs/findings.md\n%s", diff)
	}
	texts := map[string]int{}
	files, err := os.ReadDir(".")
	check(t, err)
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0)
		check(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
				text, err := strconv.Unquote(l.Value)
				check(t, err)
				texts[text]++
			}
			return true
		})
	}
	for _, id := range ids {
		if texts[id] < 2 { // in IDs, and in a rule
			t.Errorf("no rule has the ID %s", id)
		}
	}
}
