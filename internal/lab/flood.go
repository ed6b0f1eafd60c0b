// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// A Hook is where the packets of a Flood die.
type Hook uint8

// The hooks there are.
const (
	// Input is that of the receiving host. The packet gets there in a softirq,
	// mostly on the sender's stack. On kernels before 6.5 ksoftirqd may take over
	// and lag, and the CPU's backlog overflow: compare Sent with Drops.
	Input Hook = iota
	// Output is that of the sending host: the packet dies in the system call, and
	// none can die elsewhere.
	Output
)

// FloodOptions say how to send. The zero value is usable.
type FloodOptions struct {
	CPU     int    // to send from; negative: whichever the sender starts on
	Hook    Hook   // where packets die
	Port    uint16 // to send to, and from the one below; 0 is 20002
	Payload int    // bytes in each datagram; 0 is 64
}

// A Flood sends IPv4 datagrams that an nft rule drops and counts, from one thread.
// It must not be used by two goroutines at a time.
type Flood struct {
	net     *Net
	options FloodOptions
	rule    *firewall
	gun     *gun
	fence   *fence
	expect  Expect
}

// NewFlood makes a Flood from n.Tx to n.Rx. The caller must close it, before n.
// Floods in one Net need different ports.
func (n *Net) NewFlood(options FloodOptions) (*Flood, error) {
	if options.Port == 0 {
		options.Port = dstPort
	}
	if options.Payload == 0 {
		options.Payload = 64
	}
	f := &Flood{net: n, options: options}
	if err := f.open(n); err != nil {
		return nil, errors.Join(fmt.Errorf("make flood: %w", err), f.Close())
	}
	return f, nil
}

func (f *Flood) open(n *Net) (err error) {
	src := netip.AddrPortFrom(n.Tx.Addr4, f.options.Port-1)
	dst := netip.AddrPortFrom(n.Rx.Addr4, f.options.Port)
	if f.options.Payload < 1 || f.options.Payload > 1400 {
		return fmt.Errorf("invalid payload of %d bytes", f.options.Payload)
	}
	if f.rule, err = n.firewall(f.options.Hook, dst.Port()); err != nil {
		return err
	}
	if f.fence, err = n.newFence(f.options.Port + 1); err != nil {
		return err
	}
	fd, err := n.Tx.bound(unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, src)
	if err != nil {
		return err
	}
	f.gun = newGun(fd, f.options.Payload)
	if err := unix.Connect(fd, sockaddr(dst)); err != nil {
		return fmt.Errorf("connect to %s: %w", dst, err)
	}
	f.expect = Expect{
		Reasons: []string{"NETFILTER_DROP"}, Ethertype: unix.ETH_P_IP, Protocol: unix.IPPROTO_UDP, Src: src, Dst: dst,
		Netns: n.Tx.Netns, Device: n.Tx.Device, Ifindex: n.Tx.Ifindex,
		Frames: [][]string{{"nf_hook_slow", "nft_do_chain"}, {"udp_sendmsg"}},
	}
	if f.options.Hook == Input {
		f.expect.Netns, f.expect.Device, f.expect.Ifindex = n.Rx.Netns, n.Rx.Device, n.Rx.Ifindex
		f.expect.Frames = [][]string{{"nf_hook_slow", "nft_do_chain"}, {"ip_local_deliver"}}
	}
	return nil
}

// firewall drops and counts datagrams to a port at a hook of the host that has it.
func (n *Net) firewall(hook Hook, port uint16) (*firewall, error) {
	if hook == Input {
		return n.Rx.newFirewall(nftables.ChainHookInput, port)
	}
	return n.Tx.newFirewall(nftables.ChainHookOutput, port)
}

// Expect returns what each drop looks like; its Drops is zero. To tell the paths
// apart see Path.Frames, which hold for Output.
func (f *Flood) Expect() Expect {
	return f.expect
}

// Drops returns what the nft rule has counted since the flood was made.
func (f *Flood) Drops() (uint64, error) {
	return f.rule.packets()
}

// Close ends the flood. Its rule goes with the Net.
func (f *Flood) Close() error {
	var errs []error
	if f.gun != nil {
		errs = append(errs, closeSocket(f.gun.fd))
	}
	if f.fence != nil {
		errs = append(errs, f.fence.close())
	}
	f.gun, f.fence = nil, nil
	return errors.Join(errs...)
}
