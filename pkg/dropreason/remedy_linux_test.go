// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var namedCounter = regexp.MustCompile(`nstat -az(( [A-Z][A-Za-z0-9]+)+)`)

// TestKernelRemedies looks on this kernel for every setting and counter that is
// named in what to check and to change.
func TestKernelRemedies(t *testing.T) {
	have := procCounters(t, "/proc/net")
	settings, counters := 0, 0
	for _, info := range slices.Concat(tables()...) {
		text := info.Check + "; " + info.Change
		for _, name := range namedSysctl.FindAllString(text, -1) {
			settings++
			s := strings.Replace(name, ".DEV.", ".*.", 1)
			if !hasSysctl(t, s) && mayLack[s] == "" {
				t.Errorf("%s: this kernel has no sysctl %q", info.Name, name)
			}
		}
		for _, list := range namedCounter.FindAllStringSubmatch(text, -1) {
			for _, c := range strings.Fields(list[1]) {
				counters++
				if _, ok := have[c]; !ok && mayLack[c] == "" {
					t.Errorf("%s: this kernel does not count %q", info.Name, c)
				}
			}
		}
	}
	if settings < 30 || counters < 15 {
		t.Errorf("%d settings and %d counters were looked for", settings, counters)
	}
}
