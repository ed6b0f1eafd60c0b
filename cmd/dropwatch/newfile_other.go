// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import (
	"errors"
	"os"
)

func openDirectory(path string) (*os.File, error) { return os.Open(path) }

func openUnnamed(*os.File, uint32) (int, error) { return 0, errors.ErrUnsupported }

func linkUnnamed(*os.File, *os.File, string) error { return errors.ErrUnsupported }
