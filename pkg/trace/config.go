// SPDX-License-Identifier: Apache-2.0

package trace

import (
	"fmt"
	"math/bits"
	"os"
	"time"
)

// Config says what to trace and what it may cost. The zero value of a field
// means its default.
type Config struct {
	UnwindBudget int  // samples per second, node-wide, up to MaxBudget; default DefaultBudget
	Exact        bool // unwind every drop
	Snaplen      int  // bytes to keep of each sampled packet, up to MaxSnaplen
	RingBytes    int  // size of the ring buffer; default DefaultRing or ExactRing
	CellsPerCPU  int  // room for what is counted apart on a CPU; default by the number of CPUs

	// BTF is a file with the kernel's types, for a kernel that does not tell them: raw
	// BTF, or ELF with a .BTF section.
	BTF string

	Stalls *StallConfig // watch for network work that waits too; nil: do not
}

// Defaults and limits.
const (
	DefaultBudget = 1000
	DefaultRing   = 4 << 20
	ExactRing     = 8 << 20
	MaxSnaplen    = 2048
	MaxBudget     = 1_000_000_000 // the programs keep it in 32 bits

	headerBytes = 128     // copied of every sampled packet: link layer, IPv6 with extensions, TCP
	allCells    = 1 << 17 // cells of all CPUs together, 8 MiB
	maxCells    = 4096
	minCells    = 256

	leastRing  = 4 << 10 // where memory is short, bytes
	leastCells = 16
)

// complete fills in defaults and rounds sizes to what the kernel takes.
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

// smaller takes a quarter of the memory, down to a least that still tells something.
func (c Config) smaller() (Config, bool) {
	least := max(leastRing, os.Getpagesize())
	if c.RingBytes <= least && c.CellsPerCPU <= leastCells {
		return c, false
	}
	c.RingBytes = max(c.RingBytes/4, least)
	c.CellsPerCPU = max(c.CellsPerCPU/4, leastCells)
	return c, true
}

// StallConfig says what counts as a stall. The zero value of a field means its
// default.
type StallConfig struct {
	Threshold time.Duration // work that waits this long is told about; default DefaultThreshold
	Echoes    bool          // tell of every ICMP echo request
}

// DefaultThreshold is how long work may wait before it is told about.
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
