// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"
)

// A Net is a pair of namespaces joined by a veth pair. They have addresses and
// permanent neighbours for each other, and send nothing by themselves: no ARP, no
// neighbour discovery, no router solicitations, no multicast reports.
type Net struct {
	Tx *Host // sends
	Rx *Host // receives
}

// NewNet makes a Net. The caller must close it.
func NewNet() (*Net, error) {
	return newNet(false)
}

// newNet makes a Net; with arp its devices resolve IPv4 neighbours and have no IPv6.
func newNet(arp bool) (n *Net, err error) {
	n = &Net{}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("make network: %w", err), n.Close())
			n = nil
		}
	}()
	if n.Tx, err = newHost(true); err != nil {
		return n, err
	}
	if n.Rx, err = newHost(true); err != nil {
		return n, err
	}
	n.Tx.Addr4, n.Rx.Addr4 = netip.AddrFrom4([4]byte{198, 18, 0, 1}), netip.AddrFrom4([4]byte{198, 18, 0, 2})
	n.Tx.Addr6, n.Rx.Addr6 = netip.MustParseAddr("2001:db8:18::1"), netip.MustParseAddr("2001:db8:18::2")
	if err := n.join(arp); err != nil {
		return n, err
	}
	return n, nil
}

// Close removes everything. Devices are gone when it returns; the kernel frees
// empty namespaces a moment later.
func (n *Net) Close() error {
	var errs []error
	if n.Tx != nil && n.Tx.link != nil {
		// Takes the other end with it.
		if err := n.Tx.nl.LinkDel(n.Tx.link); err != nil {
			errs = append(errs, fmt.Errorf("delete %s: %w", n.Tx.Device, err))
		}
		n.Tx.link, n.Rx.link = nil, nil
	}
	for _, h := range []*Host{n.Tx, n.Rx} {
		if h != nil {
			errs = append(errs, h.close())
		}
	}
	return errors.Join(errs...)
}
