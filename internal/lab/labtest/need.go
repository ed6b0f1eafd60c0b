// SPDX-License-Identifier: Apache-2.0

package labtest

import (
	"errors"
	"os"
	"testing"
)

// ci is the variable that turns skips into failures.
const ci = "DROPWATCH_CI"

// NeedRoot skips a test that is not run by root.
func NeedRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		skip(t, "needs root")
	}
}

// Need fails a test at an error, but only skips it if the error matches
// errors.ErrUnsupported: the kernel lacks what the test needs.
func Need(t testing.TB, err error) {
	t.Helper()
	switch {
	case err == nil:
	case errors.Is(err, errors.ErrUnsupported):
		skip(t, err)
	default:
		t.Fatal(err)
	}
}

func skip(t testing.TB, why any) {
	t.Helper()
	if os.Getenv(ci) != "" {
		t.Fatalf("cannot run, and %s is set: %v", ci, why)
	}
	t.Skip(why)
}
