// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"

	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// mark goes before what is an estimate.
func mark(exact bool) string {
	if exact {
		return ""
	}
	return "≈"
}

// percent spells a share with one decimal. What is not nothing does not read 0, and
// what is not all does not read 100.
func percent(share float64) string {
	switch {
	case share > 0 && share < 0.0005:
		return "<0.1 %"
	case share < 1 && share >= 0.9995:
		return ">99.9 %"
	}
	return fmt.Sprintf("%.1f %%", share*100)
}

// rate spells a number per second with three digits at least.
func rate(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.3g", v)
	}
	return spell.Thousands(uint64(v + 0.5))
}

// signedRate spells a change per second; none is 0 without a sign.
func signedRate(v float64) string {
	switch {
	case v > 0:
		return "+" + rate(v)
	case v < 0:
		return "-" + rate(-v)
	}
	return "0"
}

// changePercent spells a change as a share of the first rate, or its class where
// there was none. It takes the decimals that a small change needs not to read 0, and
// one that leaves little not to read -100.
func changePercent(t profile.Trend) string {
	switch {
	case t.Delta == 0 && t.Class != profile.ClassGone:
		return "0.0 %"
	case t.Rates[0] == 0:
		return string(t.Class)
	}
	share := t.Delta / t.Rates[0] * 100
	if share >= 1000 {
		return "+" + spell.Thousands(uint64(share+0.5)) + " %"
	}
	for scale, decimals := 10.0, 1; ; scale, decimals = scale*10, decimals+1 {
		rounded := math.Round(share*scale) / scale
		if rounded == share || rounded != 0 && rounded != -100 {
			return fmt.Sprintf("%+.*f %%", decimals, rounded)
		}
	}
}
