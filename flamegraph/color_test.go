// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// rgb is a color in linear light.
type rgb [3]float64

// fills returns what style.css fills classes with, on light or dark pages.
func fills(t *testing.T, dark bool) map[string]rgb {
	t.Helper()
	light, night, _ := strings.Cut(style, "@media (prefers-color-scheme: dark)")
	if dark {
		light = night
	}
	all := make(map[string]rgb)
	for _, m := range regexp.MustCompile(`(?m)^\.flamegraph (\S[^,{]*) \{ (?:\S+: [^;]*; )*fill: #(\w{6});`).FindAllStringSubmatch(light, -1) {
		n, err := strconv.ParseUint(m[2], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		var c rgb
		for i := range c {
			v := float64(n>>(16-8*i)&255) / 255
			if c[i] = v / 12.92; v > 0.04045 {
				c[i] = math.Pow((v+0.055)/1.055, 2.4)
			}
		}
		all[m[1]] = c
	}
	return all
}

// contrast is that of WCAG 2.
func contrast(a, b rgb) float64 {
	bright := func(c rgb) float64 { return 0.2126*c[0] + 0.7152*c[1] + 0.0722*c[2] + 0.05 }
	x, y := bright(a), bright(b)
	return max(x, y) / min(x, y)
}

// mix multiplies a color by a matrix.
func (c rgb) mix(m [3]rgb) rgb {
	var out rgb
	for i, row := range m {
		out[i] = row[0]*c[0] + row[1]*c[1] + row[2]*c[2]
	}
	return out
}

// oklab returns a color's place in the Oklab space (Björn Ottosson, 2020),
// where equal distances look about equal.
func (c rgb) oklab() rgb {
	lms := c.mix([3]rgb{
		{0.4122214708, 0.5363325363, 0.0514459929},
		{0.2119034982, 0.6806995451, 0.1073969566},
		{0.0883024619, 0.2817188376, 0.6299787005},
	})
	for i := range lms {
		lms[i] = math.Cbrt(max(0, lms[i]))
	}
	return lms.mix([3]rgb{
		{0.2104542553, 0.7936177850, -0.0040720468},
		{1.9779984951, -2.4285922050, 0.4505937099},
		{0.0259040371, 0.7827717662, -0.8086757660},
	})
}

func distance(a, b rgb) float64 {
	x, y := a.oklab(), b.oklab()
	return math.Hypot(math.Hypot(x[0]-y[0], x[1]-y[1]), x[2]-y[2])
}

// sights are how colors look to people; the matrices are those of Machado,
// Oliveira and Fernandes (2009) for the full deficiency.
var sights = map[string][3]rgb{
	"full sight":   {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// apart is how far colors are from each other at least: twice what can just be
// noticed side by side.
const apart = 0.045

func TestColors(t *testing.T) {
	for _, dark := range []bool{false, true} {
		t.Run(fmt.Sprintf("dark=%v", dark), func(t *testing.T) {
			fill := fills(t, dark)
			text := fill[".frames text"]
			classes := []string{".root", ".frames rect.above:not(.hit)"}
			for i := range shades {
				classes = append(classes, fmt.Sprintf(".h%d", i))
			}
			for c := range colors {
				classes = append(classes, "."+c.class())
			}
			for _, k := range changeKinds {
				if k.Class != "d0" || !dark { // light text there, below
					classes = append(classes, "."+k.Class)
				}
			}
			if got := contrast(fill[".frames text.muted"], fill[".d0"]); dark && got < 4.5 {
				t.Errorf("text on .d0 has a contrast of %.1f", got)
			}
			for _, class := range classes {
				if c, ok := fill[class]; !ok {
					t.Errorf("%s has no fill", class)
				} else if got := contrast(text, c); got < 4.5 {
					t.Errorf("text on %s has a contrast of %.1f", class, got)
				}
			}
			for name, sight := range sights {
				for a := range colors {
					for b := range a {
						d := distance(fill["."+a.class()].mix(sight), fill["."+b.class()].mix(sight))
						if d < apart {
							t.Errorf("colors %d and %d are %.3f apart with %s", a, b, d, name)
						}
					}
				}
				for i, a := range changeKinds {
					for _, b := range changeKinds[:i] {
						if d := distance(fill["."+a.Class].mix(sight), fill["."+b.Class].mix(sight)); d < apart/2 {
							t.Errorf("changes %s and %s are %.3f apart with %s", a.Name, b.Name, d, name)
						}
					}
				}
			}
		})
	}
}
