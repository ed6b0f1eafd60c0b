// SPDX-License-Identifier: Apache-2.0

package profile

import "math/bits"

// divider divides a whole in proportion to parts, into integers that add up to it.
type divider struct {
	whole, parts uint64 // parts is the sum of all that next will be given
	seen, given  uint64
}

func (d *divider) next(part uint64) uint64 {
	d.seen += part
	high, low := bits.Mul64(d.whole, d.seen)
	if high >= d.parts {
		return 0 // no parts, or numbers that no kernel counts to
	}
	upTo, _ := bits.Div64(high, low, d.parts)
	given := upTo - d.given
	d.given = upTo
	return given
}
