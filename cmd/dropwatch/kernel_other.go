// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"io/fs"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

func isUnsupported(error) bool { return false }

func isRefused(error) bool { return false }

func kernelReasons(fs.FS) (*dropreason.Names, error) { return nil, nil }
