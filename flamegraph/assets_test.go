// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"strings"
	"testing"
)

func TestAssetsFitIntoXML(t *testing.T) {
	if strings.Contains(script(), "]]>") {
		t.Error("the script ends its own CDATA section")
	}
	if strings.ContainsAny(style, "&<>") {
		t.Error("the style has a special character of XML")
	}
}

func TestScriptHasAllParts(t *testing.T) {
	all := script()
	err := fs.WalkDir(scripts, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(scripts, path)
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "function ") && !strings.Contains(all, line) {
				t.Errorf("%s: %s is not in the script", path, strings.TrimSpace(line))
			}
			if strings.Count(line, "`")%2 != 0 {
				t.Errorf("%s: %q: text over several lines would lose its indentation", path, line)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestContentSecurityPolicy(t *testing.T) {
	policy := ContentSecurityPolicy()
	for _, in := range []string{"a;b 1\n", "c 2\nd 3\n"} {
		p := readPicture(t, draw(t, merge(t, parse(t, []byte(in))), Options{Title: in, Icicle: in[0] == 'a'}))
		if len(p.Script) != 1 || len(p.Style) != 1 {
			t.Fatalf("%d scripts and %d styles", len(p.Script), len(p.Style))
		}
		for _, text := range []string{p.Script[0], p.Style[0]} {
			sum := sha256.Sum256([]byte(text))
			if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(policy, "'sha256-"+hash+"'") {
				t.Errorf("%s does not allow %.40q", policy, text)
			}
		}
	}
}
