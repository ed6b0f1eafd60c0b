// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strconv"
	"time"
)

// Meta describes where and how events were recorded.
type Meta struct {
	Version      string        `json:"dropwatch"`          // of the dropwatch that recorded
	Kernel       string        `json:"kernel"`             // release, as uname -r
	BuildID      string        `json:"build_id,omitempty"` // of the kernel image, hexadecimal
	Text         Range         `json:"text"`               // addresses of the kernel image's code
	Arch         string        `json:"arch"`               // as GOARCH
	Host         string        `json:"host"`
	CPUs         int           `json:"cpus"` // possible CPUs
	Command      []string      `json:"command"`
	Start        time.Time     `json:"start"`              // wall clock at the start
	StartMono    time.Duration `json:"start_monotonic_ns"` // CLOCK_MONOTONIC at the same instant
	Boot         time.Time     `json:"boot"`               // wall clock when the machine started
	Hooks        []Hook        `json:"hooks"`
	UnwindBudget int           `json:"unwind_budget"` // samples per second, node-wide
	Exact        bool          `json:"exact"`         // every drop was unwound
	Snaplen      int           `json:"snaplen"`       // bytes kept of each sampled packet
	Notes        []string      `json:"notes,omitempty"`

	// StallThreshold is the shortest wait that was recorded as a stall; 0 if stalls were
	// not watched for, or before schema 4, which meant 5 ms (softirq.DefaultThreshold).
	StallThreshold time.Duration `json:"stall_threshold_ns,omitempty"`
}

// Hook says how dropwatch was attached to a place in the kernel.
type Hook struct {
	Name string `json:"hook"` // "skb:kfree_skb", "icmp_echo"
	Rung string `json:"rung"` // "tp_btf", "raw_tp", "fentry", "kprobe"; "tracepoint": one that stands in
}

// Range is the addresses from Start up to End.
type Range struct {
	Start Address `json:"start"`
	End   Address `json:"end"`
}

// Address is a code address, in hexadecimal where it is text.
type Address uint64

// MarshalText implements encoding.TextMarshaler.
func (a Address) MarshalText() ([]byte, error) {
	return strconv.AppendUint(nil, uint64(a), 16), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Address) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 16, 64)
	*a = Address(v)
	return err
}

// AttachResult is the result of an attempt to attach to a place in the kernel in one way.
type AttachResult struct {
	Hook
	Why string // why the kernel refused; empty on success
}
