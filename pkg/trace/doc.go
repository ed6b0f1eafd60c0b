// SPDX-License-Identifier: Apache-2.0

// Package trace loads dropwatch's programs into the running kernel and yields what
// they see as events. No other package touches the kernel's BPF.
//
// Counting and sampling are apart: every drop is counted in a per-CPU cell, which
// is mapped into memory and read once a second; a sample of the drops comes
// through a ring buffer. Whatever becomes of a sample, the counts stay exact.
package trace
