// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"math/bits"
	"os"
	"time"
)

// Config says what to trace and how much tracing may cost. The zero value of a field is its
// default.
type Config struct {
	UnwindBudget int  // samples per second, node-wide, up to MaxBudget; default DefaultBudget
	Exact        bool // unwind every drop
	Snaplen      int  // bytes to keep of each sampled packet, up to MaxSnaplen
	RingBytes    int  // size of the ring buffer; default DefaultRing or ExactRing
	CellsPerCPU  int  // number of cells on each CPU; the default depends on the number of CPUs

	// BTF is a file with the kernel's types, for a kernel without /sys/kernel/btf/vmlinux:
	// raw BTF, or ELF with a .BTF section.
	BTF string

	Stalls *StallConfig // also watch for stalls; nil: do not
}

// Defaults and limits.
const (
	DefaultBudget = 1000
	DefaultRing   = 4 << 20
	ExactRing     = 8 << 20
	MaxSnaplen    = 2048
	MaxBudget     = 1_000_000_000 // the programs store it in 32 bits

	headerBytes = 128     // copied from every sampled packet: link layer, IPv6 with extensions, TCP
	allCells    = 1 << 17 // cells of all CPUs together, 8 MiB
	maxCells    = 4096
	minCells    = 256

	leastRing  = 4 << 10 // bytes, if locked memory is limited
	leastCells = 16
)

// complete sets defaults and rounds sizes to those that the kernel accepts.
func (c Config) complete(cpus int) (Config, error) {
	switch {
	case c.UnwindBudget < 0 || c.UnwindBudget > MaxBudget:
		return c, fmt.Errorf("unwind budget of %d samples per second is not within 0 and %d", c.UnwindBudget, MaxBudget)
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
	if c.Stalls != nil {
		stalls, err := c.Stalls.complete()
		if err != nil {
			return c, err
		}
		c.Stalls = &stalls
	}
	c.RingBytes = powerOfTwo(max(c.RingBytes, os.Getpagesize()))
	c.CellsPerCPU = powerOfTwo(c.CellsPerCPU)
	return c, nil
}

// smaller reduces the memory to a quarter, but not below leastRing and leastCells. It returns
// false if both are reached.
func (c Config) smaller() (Config, bool) {
	least := max(leastRing, os.Getpagesize())
	if c.RingBytes <= least && c.CellsPerCPU <= leastCells {
		return c, false
	}
	c.RingBytes = max(c.RingBytes/4, least)
	c.CellsPerCPU = max(c.CellsPerCPU/4, leastCells)
	return c, true
}

// StallConfig says what counts as a stall. The zero value of a field is its default.
type StallConfig struct {
	Threshold time.Duration // report work that waits this long; default DefaultThreshold
	Echoes    bool          // report every ICMP echo request
}

// DefaultThreshold is the shortest wait that is reported by default.
const DefaultThreshold = 5 * time.Millisecond

func (c StallConfig) complete() (StallConfig, error) {
	if c.Threshold == 0 {
		c.Threshold = DefaultThreshold
	}
	if c.Threshold < time.Millisecond || c.Threshold > time.Minute {
		return c, fmt.Errorf("threshold of %v is not within 1ms and 1m", c.Threshold)
	}
	return c, nil
}

func powerOfTwo(n int) int { return 1 << bits.Len(uint(n-1)) }
