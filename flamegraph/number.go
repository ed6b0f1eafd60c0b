// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"math/big"
	"strconv"
)

// formatCount returns a count with a comma between thousands.
func formatCount(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// formatShare returns part of total in percent.
func formatShare(part, total uint64) string {
	percent := float64(part) / float64(total) * 100
	switch {
	case part == total:
		return "100%"
	case percent < 0.01:
		return "<0.01%"
	case percent > 99.99:
		return ">99.99%"
	}
	return formatFixed(percent, 2) + "%"
}

// formatFixed returns a finite number with so many decimals, halves rounded
// away from zero as toFixed of the script does.
func formatFixed(v float64, decimals int) string {
	return new(big.Rat).SetFloat64(v).FloatString(decimals)
}
