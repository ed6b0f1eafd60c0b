// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"math/bits"
	"os"
)

// Config says what to trace and what it may cost. The zero value of a field
// means its default.
type Config struct {
	UnwindBudget int  // samples per second, node-wide; default DefaultBudget
	Exact        bool // unwind every drop
	Snaplen      int  // bytes to keep of each sampled packet, up to MaxSnaplen
	RingBytes    int  // size of the ring buffer; default DefaultRing or ExactRing
	CellsPerCPU  int  // room for what is counted apart on a CPU; default by the number of CPUs
}

// Defaults and limits.
const (
	DefaultBudget = 1000
	DefaultRing   = 4 << 20
	ExactRing     = 8 << 20
	MaxSnaplen    = 2048

	headerBytes = 128     // copied of every sampled packet: link layer, IPv6 with extensions, TCP
	allCells    = 1 << 17 // cells of all CPUs together, 8 MiB
	maxCells    = 4096
	minCells    = 256
)

// complete fills in defaults and rounds sizes to what the kernel takes.
func (c Config) complete(cpus int) (Config, error) {
	switch {
	case c.UnwindBudget < 0:
		return c, fmt.Errorf("unwind budget of %d samples per second is negative", c.UnwindBudget)
	case c.Snaplen < 0 || c.Snaplen > MaxSnaplen:
		return c, fmt.Errorf("snaplen of %d bytes is not within 0 and %d", c.Snaplen, MaxSnaplen)
	}
	if c.UnwindBudget == 0 {
		c.UnwindBudget = DefaultBudget
	}
	if c.RingBytes == 0 {
		c.RingBytes = DefaultRing
		if c.Exact {
			c.RingBytes = ExactRing
		}
	}
	if c.CellsPerCPU == 0 {
		c.CellsPerCPU = min(max(allCells/cpus, minCells), maxCells)
	}
	c.RingBytes = powerOfTwo(max(c.RingBytes, os.Getpagesize()))
	c.CellsPerCPU = powerOfTwo(c.CellsPerCPU)
	return c, nil
}

func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }
