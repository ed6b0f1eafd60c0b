// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// maxCPU is the highest valid CPU number (CONFIG_NR_CPUS is at most 8192).
const maxCPU = 8191

// parseList parses a CPU list such as "0-3,8" (bitmap_print_list). It returns nil if the text
// is invalid.
func parseList(text string) []int {
	var cpus []int
	for _, part := range strings.Split(strings.TrimSpace(text), ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err1 := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if err1 != nil || err2 != nil || first < 0 || first > last || last > maxCPU {
			return nil
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// PossibleCPUs returns the numbers of the possible CPUs, ascending. The numbers may have gaps
// if firmware lists CPUs that cannot be used, so an array indexed by CPU needs the last number
// plus one elements.
func (r Root) PossibleCPUs() ([]int, error) {
	const file = "/sys/devices/system/cpu/possible"
	text, ok := r.read(file)
	if !ok {
		return nil, fmt.Errorf("read %s: %w", file, fs.ErrNotExist)
	}
	cpus := parseList(text)
	if len(cpus) == 0 {
		return nil, fmt.Errorf("%s: invalid list of CPUs %q", file, text)
	}
	return cpus, nil
}

// parseMask parses a CPU mask such as "ff,00000001": words of 32 CPUs, the highest first. It
// returns nil if the mask is invalid or empty.
func parseMask(text string) []int {
	words := strings.Split(strings.TrimSpace(text), ",")
	if len(words) > (maxCPU+1)/32 {
		return nil
	}
	var cpus []int
	for i := range words {
		word, err := strconv.ParseUint(words[len(words)-1-i], 16, 32)
		if err != nil {
			return nil
		}
		for bit := range 32 {
			if word&(1<<bit) != 0 {
				cpus = append(cpus, 32*i+bit)
			}
		}
	}
	return cpus
}

// Mask formats a set of CPUs for rps_cpus: "3", "1,00000000".
func Mask(cpus []int) string {
	var words []uint32
	for _, cpu := range cpus {
		for len(words) <= cpu/32 {
			words = append(words, 0)
		}
		words[cpu/32] |= 1 << (cpu % 32)
	}
	if len(words) == 0 {
		return "0"
	}
	text := fmt.Sprintf("%x", words[len(words)-1])
	for i := len(words) - 2; i >= 0; i-- {
		text += fmt.Sprintf(",%08x", words[i])
	}
	return text
}
