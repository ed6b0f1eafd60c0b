// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// maxSum is what drops, bytes and segments may each add up to: what is made of them stays
// within 64 bits.
const maxSum = 1 << 62

// sums are what ticks have counted so far.
type sums struct{ drops, bytes, segments uint64 }

// add adds a count.
func (s *sums) add(c event.Count) error {
	for _, of := range []struct {
		sum *uint64
		n   uint64
	}{{&s.drops, c.Drops}, {&s.bytes, c.Bytes}, {&s.segments, c.Segments}} {
		if of.n > maxSum-*of.sum {
			return fmt.Errorf("counts add up to more than %d", uint64(maxSum))
		}
		*of.sum += of.n
	}
	return nil
}

// check returns an error if a recorder counted other drops than those of the ticks before.
func (s *sums) check(t event.Totals) error {
	if t.Drops != s.drops {
		return fmt.Errorf("totals of %d drops, the counts are of %d", t.Drops, s.drops)
	}
	return nil
}
