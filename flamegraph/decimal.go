// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

var (
	errNoCount  = errors.New("no count")
	errNegative = errors.New("negative count")
	errExponent = errors.New("count with an exponent")
	errTooLarge = fmt.Errorf("count exceeds %d", ^uint64(0))
)

// mostDigits is how many digits after a point are read; further ones round the last.
const mostDigits = 9

var powersOf10 = [mostDigits + 1]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9}

// decimal is a number of so many units of 10^-digits.
type decimal struct {
	value  uint64
	digits uint8
}

// parseCount reads digits, and after a point more of them or none, as flamegraph.pl
// does. An error may come with what the number would be.
func parseCount[T string | []byte](text T) (c decimal, err error) {
	i := 0
	for ; i < len(text) && isDigit(text[i]); i++ {
		if !c.append(text[i]) {
			return decimal{}, errTooLarge
		}
	}
	if i == 0 || i < len(text) && text[i] != '.' {
		return decimal{}, whyNoCount(text)
	}
	for i++; i < len(text); i++ {
		if !isDigit(text[i]) {
			return decimal{}, whyNoCount(text)
		}
		wider := c
		if wider.digits++; int(wider.digits) > mostDigits || !wider.append(text[i]) {
			return c.round(text[i:])
		}
		c = wider
	}
	for c.digits > 0 && c.value%10 == 0 {
		c.value, c.digits = c.value/10, c.digits-1
	}
	return c, nil
}

// append puts a digit at the end, if there is room for it.
func (c *decimal) append(digit byte) bool {
	d := uint64(digit - '0')
	if c.value > (math.MaxUint64-d)/10 {
		return false
	}
	c.value = c.value*10 + d
	return true
}

// round returns a number as the digits after it, for which there is no room, change it.
func (c decimal) round(rest any) (decimal, error) {
	text := fmt.Sprintf("%s", rest)
	for i := range len(text) {
		if !isDigit(text[i]) {
			return decimal{}, errNoCount
		}
	}
	if text[0] >= '5' && c.value < math.MaxUint64 {
		c.value++
	}
	return c, nil
}

// whyNoCount says what is wrong with a text that is no count.
func whyNoCount[T string | []byte](text T) error {
	digits := text
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	if len(digits) == 0 || !isDigit(digits[0]) {
		return errNoCount
	}
	if _, err := strconv.ParseFloat(string(digits), 64); err != nil && !errors.Is(err, strconv.ErrRange) {
		return errNoCount
	}
	if len(digits) < len(text) {
		return errNegative
	}
	for i := range len(digits) {
		if digits[i] == 'e' || digits[i] == 'E' {
			return errExponent
		}
	}
	return errNoCount // such as 0x10 or 1_000
}

// magnitude returns how much a count that could not be taken would be, 0 if it is none.
func magnitude[T string | []byte](text T, why error) float64 {
	if why == errNoCount {
		return 0
	}
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) || math.IsNaN(v) {
		return 0
	}
	return min(math.Abs(v), math.MaxFloat64)
}

// ceil returns the least whole number that is not below c.
func (c decimal) ceil() uint64 {
	unit := powersOf10[c.digits]
	if c.value%unit == 0 {
		return c.value / unit
	}
	return c.value/unit + 1
}

// at returns the value with another number of digits after the point, rounded; the
// caller knows that there is room.
func (c decimal) at(digits int) uint64 {
	if digits >= int(c.digits) {
		return c.value * powersOf10[digits-int(c.digits)]
	}
	unit := powersOf10[int(c.digits)-digits]
	value := c.value / unit
	if c.value%unit >= unit/2 {
		value++
	}
	return value
}

// cutCount cuts the count off the end of a text, and the space before it.
func cutCount[T string | []byte](text T) (rest T, c decimal, err error) {
	space := len(text)
	for space > 0 && text[space-1] != ' ' && text[space-1] != '\t' {
		space--
	}
	c, err = parseCount(text[space:])
	for space > 0 && (text[space-1] == ' ' || text[space-1] == '\t') {
		space--
	}
	return text[:space], c, err
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
