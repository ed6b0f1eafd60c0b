// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/counters"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// TestCountersAreRead: of the counters that reasons name, pkg/node reads every one that
// this kernel has and that nstat or xfrm_stat shows.
func TestCountersAreRead(t *testing.T) {
	r, err := counters.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	readings, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]bool{}
	for _, reading := range readings {
		switch reading.Source {
		case event.CounterProtocol:
			read[reading.Name] = true
		case event.CounterXfrm:
			read["/proc/net/xfrm_stat: "+reading.Name] = true
		case event.CounterNeighbour:
			read["/proc/net/stat/"+reading.Part+": "+reading.Name] = true
		}
	}
	have, looked := procCounters(t, "/proc/net"), 0
	for _, counter := range all(func(i Info) []string { return i.Counters }) {
		_, ok := have[counter]
		if !ok || !nstatForm.MatchString(counter) && !strings.Contains(counter, "xfrm_stat") && !strings.Contains(counter, "p_cache") {
			continue
		}
		looked++
		if !read[counter] {
			t.Errorf("%s is not read", counter)
		}
	}
	if looked < 50 {
		t.Errorf("looked for %d counters", looked)
	}
}
