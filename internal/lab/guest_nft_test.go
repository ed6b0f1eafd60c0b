// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package lab

import (
	"errors"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// TestWithoutNft: on a kernel without nf_tables, with or without nfnetlink, there is no
// flood, for a reason that labtest.Need knows. Load neither, or nfnetlink alone.
func TestWithoutNft(t *testing.T) {
	labtest.NeedRoot(t)
	n, err := NewNet()
	labtest.Need(t, err)
	defer n.Close()
	for _, hook := range []Hook{Output, Input} {
		f, err := n.NewFlood(FloodOptions{Hook: hook})
		if f != nil || !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%v: error %v", hook, err)
		}
		t.Log(err)
	}
}
