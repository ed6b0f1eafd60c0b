// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"os"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

func TestMain(m *testing.M) { os.Exit(labtest.MainWithTracefs(m)) }
