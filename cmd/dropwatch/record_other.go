// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "context"

func record(context.Context, streams, recordOptions) error { return errNotLinux }
