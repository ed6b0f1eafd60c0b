// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"context"
	"fmt"

	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/rtt"
)

func record(context.Context, streams, recordOptions) error {
	return fmt.Errorf("record %w", errNotLinux)
}

func watchStalls(context.Context, streams, stallFlags) error {
	return fmt.Errorf("stalls %w", errNotLinux)
}

func examine(context.Context, streams, doctorFlags) (*report.Doctor, error) {
	return nil, fmt.Errorf("doctor %w", errNotLinux)
}

func watchICMP(context.Context, streams, <-chan rtt.Reply, icmpFlags) error {
	return fmt.Errorf("icmp %w", errNotLinux)
}
