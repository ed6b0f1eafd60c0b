// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A firewall is one nft rule of a host that counts and drops UDP datagrams.
type firewall struct {
	host  *Host
	conn  *nftables.Conn
	table *nftables.Table
	chain *nftables.Chain
}

// newFirewall drops IPv4 datagrams to a port at a hook of the host. It goes with
// the host's namespace.
func (h *Host) newFirewall(hook *nftables.ChainHook, port uint16) (*firewall, error) {
	// Its socket is opened by each call, within the namespace: nftables.WithNetNSFd loses
	// the error and then dereferences nil, where there is no nfnetlink.
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("open nftables: %w", err)
	}
	// To what is to be done the kernel answers once if it has no nf_tables, and the rest
	// of the answers would be waited for.
	err = h.Do(func() error { _, err := conn.ListTables(); return err })
	if err != nil {
		return nil, fmt.Errorf("list nft tables: %w", lacking(err, unix.EPROTONOSUPPORT, unix.EINVAL))
	}
	f := &firewall{host: h, conn: conn}
	f.table = conn.AddTable(&nftables.Table{Name: "lab", Family: nftables.TableFamilyIPv4})
	f.chain = conn.AddChain(&nftables.Chain{
		Name: fmt.Sprintf("udp-%d", port), Table: f.table, Type: nftables.ChainTypeFilter,
		Hooknum: hook, Priority: nftables.ChainPriorityFilter,
	})
	conn.AddRule(&nftables.Rule{Table: f.table, Chain: f.chain, Exprs: []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Register: 1, Data: []byte{unix.IPPROTO_UDP}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)},
		&expr.Counter{},
		&expr.Verdict{Kind: expr.VerdictDrop},
	}})
	if err := h.Do(conn.Flush); err != nil {
		return nil, fmt.Errorf("add nft rule: %w", lacking(err, unix.ENOENT))
	}
	return f, nil
}

// packets returns what the rule's counter says.
func (f *firewall) packets() (uint64, error) {
	var rules []*nftables.Rule
	err := f.host.Do(func() (err error) {
		rules, err = f.conn.GetRules(f.table, f.chain)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("get nft rules: %w", err)
	}
	for _, rule := range rules {
		for _, e := range rule.Exprs {
			if counter, ok := e.(*expr.Counter); ok {
				return counter.Packets, nil
			}
		}
	}
	return 0, errors.New("get nft rules: no counter among them")
}

func (f *firewall) tally() *tally {
	return &tally{name: "nft counter", get: f.packets}
}
