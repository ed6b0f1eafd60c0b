// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"time"
)

const (
	manyDying = 1000
	slowRead  = 10 * time.Millisecond
	tooSlow   = 50 * time.Millisecond
)

// dyingCgroups speaks when there are a thousand dead memory cgroups; a warning if
// reading memory.stat takes 10 ms with them, or 50 ms without: programs that watch
// containers read it every few seconds, and before kernel 6.5 packets on their CPU
// may wait as long.
func dyingCgroups(n *nodeInput) []found {
	c := n.State.Cgroups
	if c.Dying < manyDying && c.Read < tooSlow {
		return nil
	}
	f := Finding{
		ID: "dying-cgroups", Severity: Info,
		Evidence: []Fact{{"hierarchy", c.Dir}},
		Explain:  say("One read of memory.stat takes %s, in which packets on that CPU may wait.", c.Read.Round(time.Microsecond)),
	}
	if c.DyingKnown {
		f.Evidence = append(f.Evidence, Fact{"dying", uint64(c.Dying)})
	}
	if c.Dying > 0 {
		f.Explain = say("%d dead cgroups are still held by cached pages, and one read of memory.stat takes %s, in which packets on that CPU may wait.", c.Dying, c.Read.Round(time.Microsecond))
	}
	f.Evidence = append(f.Evidence, Fact{"memory_stat_read_us", uint64(c.Read.Microseconds())})
	if c.Dying >= manyDying && c.Read >= slowRead || c.Read >= tooSlow {
		f.Severity = Warning
	}
	if c.Dying >= manyDying {
		// The pages too: since 5.16 an inode that has some is not freed alone (51b8c1fe250d).
		f.Fix = []string{write("3", "/proc/sys/vm/drop_caches")}
		f.Undo = []string{"# none is needed: caches fill again"}
		f.Cost = "files, directories and inodes are read from disk again for a while"
		f.Persist = []string{"/etc/cron.d/90-dropwatch: 0 4 * * * root echo 3 > /proc/sys/vm/drop_caches"}
		if n.State.Kubelet {
			f.Persist = append(f.Persist, "Kubernetes: kubelet --housekeeping-interval=30s, so that memory.stat is read less often")
		}
	}
	return []found{{f, c.Read.Seconds()}}
}
