// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"strings"
)

// The script and the style are the same in every file. Neither holds "]]>",
// and the style none of XML's special characters.
var (
	//go:embed script/*.js
	scripts embed.FS
	//go:embed style.css
	style string
)

// script returns the parts of the script as one, without indentation and
// comments.
func script() string {
	var b strings.Builder
	b.WriteString("(() => {\n'use strict';\n")
	// main.js, which starts it all, needs what the others define.
	for _, part := range []string{
		"data", "kinds", "words", "layout", "draw", "search", "link", "tip", "tools", "legend", "about",
		"page", "keys", "describe", "find", "viewer", "main",
	} {
		text, err := scripts.ReadFile("script/" + part + ".js")
		if err != nil {
			panic(err) // not built in, which a test excludes
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimSpace(line)
			if line != "" && !strings.HasPrefix(line, "//") {
				b.WriteString(line + "\n")
			}
		}
	}
	b.WriteString("})();\n")
	return b.String()
}

// ContentSecurityPolicy returns the strictest policy a file works under, for
// the header of that name: its one script and its one style, by their hashes.
func ContentSecurityPolicy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	return fmt.Sprintf("default-src 'none'; script-src 'sha256-%s'; style-src 'sha256-%s'; require-trusted-types-for 'script'", hash(script()), hash(style))
}
