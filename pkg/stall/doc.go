// SPDX-License-Identifier: Apache-2.0

// Package stall holds what is known of a time in which a CPU left packets waiting: who
// waited, how long, the verdict, the culprit, and the same in English.
//
// pkg/softirq finds stalls among events. This package only names and words them: a Stall
// is a value that nothing changes, and its sentences depend on its fields alone.
package stall
