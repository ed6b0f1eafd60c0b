// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// maxCPU bounds what is believed of a list of CPUs (CONFIG_NR_CPUS is at most 8192).
const maxCPU = 8191

// parseList reads "0-3,8" as the kernel prints sets of CPUs (bitmap_print_list); nil if
// it is none.
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

// PossibleCPUs returns the numbers of the CPUs that may ever be online, ascending. They may
// have gaps, where firmware tells of CPUs that cannot be used: what is kept for each CPU
// takes room for the last one's number.
func (f Files) PossibleCPUs() ([]int, error) {
	const file = "/sys/devices/system/cpu/possible"
	text, ok := f.read(file)
	if !ok {
		return nil, fmt.Errorf("read %s: %w", file, fs.ErrNotExist)
	}
	cpus := parseList(text)
	if len(cpus) == 0 {
		return nil, fmt.Errorf("%s: invalid list of CPUs %q", file, text)
	}
	return cpus, nil
}

// parseMask reads "ff,00000001", words of 32 CPUs with the highest first; nil if it is
// none or empty.
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

// Mask prints a set of CPUs as rps_cpus takes it: "3", "1,00000000".
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
