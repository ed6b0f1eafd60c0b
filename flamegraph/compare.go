// SPDX-License-Identifier: Apache-2.0

package flamegraph

import "math/bits"

// cutBefore cuts the first of two counts off the end of a frame, if there is one.
func cutBefore[T string | []byte](frame T) (name T, before decimal, ok bool) {
	name, before, err := cutCount(frame)
	last := len(frame) - 1
	for last > 0 && isNumeric(frame[last]) {
		last--
	}
	isSpace := last >= 0 && (frame[last] == ' ' || frame[last] == '\t')
	return name, before, err == nil && isSpace
}

func isNumeric(c byte) bool { return isDigit(c) || c == '.' }

// compare takes the number at the end of each stack for the count before a change, and
// the count for that after it.
func (p *parser) compare() (*Folded, error) {
	f := &p.folded
	samples, counts := f.Samples[:0], p.counts[:0]
	befores := make([]decimal, 0, len(p.counts))
	for i, s := range f.Samples {
		leaf := len(s.Stack) - 1
		name, before, ok := cutBefore(s.Stack[leaf])
		if !ok {
			f.Left++
			f.LeftCount += float64(p.counts[i].value) / float64(powersOf10[p.counts[i].digits])
			continue
		}
		s.Stack[leaf] = name
		samples, counts, befores = append(samples, s), append(counts, p.counts[i]), append(befores, before)
	}
	f.Samples = samples
	f.addProblems(p.single)
	f.Digits = digitsFor(counts, befores)
	var total, carry uint64
	for i := range samples {
		before, after := befores[i].at(f.Digits), counts[i].at(f.Digits)
		samples[i].Value, samples[i].More = max(before, after), []uint64{before, after}
		if total, carry = bits.Add64(total, samples[i].Value, 0); carry != 0 {
			return nil, errTotal
		}
	}
	return f, nil
}

// digitsFor returns how many digits after the point are needed, as far as the total
// stays a number that the script counts with exactly.
func digitsFor(all ...[]decimal) int {
	const exact = 1 << 53
	digits, total := 0, 0.0
	for _, counts := range all {
		for _, c := range counts {
			digits = max(digits, int(c.digits))
			total += float64(c.value) / float64(powersOf10[c.digits])
		}
	}
	for digits > 0 && total*float64(powersOf10[digits]) > exact {
		digits--
	}
	return digits
}
