// SPDX-License-Identifier: Apache-2.0

// Package trace loads dropwatch's programs into the running kernel and yields their records as
// events. No other package uses bpf(2).
//
// Counting and sampling are separate. Programs count every drop in a per-CPU cell, which is
// mapped into memory and read once a second. They send samples of the drops through a ring
// buffer. The counts stay exact if samples are lost.
package trace
