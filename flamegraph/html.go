// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"fmt"
	"io"
)

// WriteHTML draws the graph as an HTML page, which is well-formed XML too and
// carries its content policy itself. It writes nothing and returns ErrEmpty if
// there is nothing to draw; an error of w is returned wrapped.
func (g *Graph) WriteHTML(w io.Writer, o Options) error {
	return g.write(w, "html", o, func(d *drawing) error {
		fmt.Fprintf(d.w, `<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en" class="flamegraph-page">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="%s"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
`, ContentSecurityPolicy())
		fmt.Fprintf(d.w, "<title>%s</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n", d.xml(d.name()), style)
		if err := d.picture(""); err != nil {
			return err
		}
		fmt.Fprint(d.w, "</main>\n</body>\n</html>\n")
		return nil
	})
}
