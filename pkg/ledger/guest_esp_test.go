// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package ledger_test

import (
	"context"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/ledger"
)

// TestNoState sends ESP packets of an association that the receiver does not have: they
// die in xfrm_input, and are in XfrmInNoStates. Needs the module esp4.
func TestNoState(t *testing.T) {
	labtest.NeedRoot(t)
	const n = 30
	network, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	name(t, network)
	fd := wire(t, network)
	k := keep(t, func(context.Context) error {
		for range n {
			esp := []byte{0, 0, 0x12, 0x34, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}
			if err := put(fd, network, unix.ETH_P_IP, header4(network, unix.IPPROTO_ESP, 0, 0, esp)); err != nil {
				return err
			}
		}
		return nil
	})
	i := slices.IndexFunc(k.Rows, func(r ledger.Row) bool { return r.Netns.Inode == network.Rx.Netns })
	if i < 0 {
		t.Fatalf("no row, %d drops", len(k.cells))
	}
	if r := &k.Rows[i]; r.Source != event.CounterXfrm || r.Name != "XfrmInNoStates" || r.Delta != n || r.Traced != n || r.Packets != n {
		t.Errorf("%+v, want %d of XfrmInNoStates traced", *r, n)
	}
}
