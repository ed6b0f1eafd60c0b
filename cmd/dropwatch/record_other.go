// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"context"

	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/rtt"
)

func record(context.Context, streams, recordOptions) error { return errNotLinux }

func watchStalls(context.Context, streams, stallFlags) error { return errNotLinux }

func examine(context.Context, streams, doctorFlags) (*report.Doctor, error) { return nil, errNotLinux }

func watchICMP(context.Context, streams, <-chan rtt.Reply, icmpFlags) error { return errNotLinux }
