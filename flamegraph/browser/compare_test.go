// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"image"
	"math"
)

// Pictures are compared by the mean colors of their cells, which are larger
// than letters: how fonts are drawn differs from machine to machine.
const (
	cell      = 20 // pixels
	tolerance = 8  // of 255
)

// mean returns the mean color of a cell.
func mean(picture image.Image, at image.Rectangle) rgb {
	var sum rgb
	at = at.Intersect(picture.Bounds())
	for y := at.Min.Y; y < at.Max.Y; y++ {
		for x := at.Min.X; x < at.Max.X; x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			for i, v := range []uint32{r, g, b} {
				sum[i] += float64(v >> 8)
			}
		}
	}
	for i := range sum {
		sum[i] /= float64(at.Dx() * at.Dy())
	}
	return sum
}

// differ tells where pictures differ most, if they do.
func differ(want, got image.Image) error {
	if want.Bounds() != got.Bounds() {
		return fmt.Errorf("picture of %v, want %v", got.Bounds(), want.Bounds())
	}
	var worst error
	most, cells := float64(tolerance), 0
	for y := want.Bounds().Min.Y; y < want.Bounds().Max.Y; y += cell {
		for x := want.Bounds().Min.X; x < want.Bounds().Max.X; x += cell {
			at := image.Rect(x, y, x+cell, y+cell)
			w, g := mean(want, at), mean(got, at)
			off := 0.0
			for i := range w {
				off = max(off, math.Abs(w[i]-g[i]))
			}
			if off > tolerance {
				cells++
			}
			if off > most {
				most, worst = off, fmt.Errorf("at %d,%d it is %.0f, want %.0f", x, y, g, w)
			}
		}
	}
	if worst != nil {
		return fmt.Errorf("%d cells differ: %w", cells, worst)
	}
	return nil
}
