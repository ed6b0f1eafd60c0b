// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"flag"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// TestStory: a ring of 1024 out of 8192 and a backlog of 1000 are what the node suffers
// from, and nothing else is found.
func TestStory(t *testing.T) {
	golden(t, "testdata/story.json", Find(readFixture(t, "testdata/story.txtar")))
}

func TestHealthy(t *testing.T) {
	for _, f := range Find(readFixture(t, "testdata/healthy.txtar")) {
		t.Errorf("found %+v", f)
	}
}
