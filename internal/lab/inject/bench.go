// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
)

// The CPU that packets are sent on, and the one that handles them.
const (
	sendCPU    = 0
	receiveCPU = 1
)

// A Bench is a pair of hosts and an injector that holds the CPU on which one of
// them receives. It must not be used by two goroutines at a time.
type Bench struct {
	class    Class
	net      *lab.Net
	programs *programs
	traffic  *traffic
	napi     int // the receiving device's NAPI thread, if it has one
	inject   injector
	closers  []func() error
}

// An injector holds receiveCPU for a time, and returns when that is over.
type injector func(d time.Duration) (Truth, error)

// Open makes a bench for one class. The caller must close it. Benches would disturb
// each other: while another is open, in any process of this network namespace, Open
// waits up to a minute. What the machine lacks is an error that matches
// errors.ErrUnsupported.
func Open(class Class) (*Bench, error) {
	b := &Bench{class: class}
	if err := b.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open bench for %s: %w", class, err), b.Close())
	}
	return b, nil
}

func (b *Bench) prepare() (err error) {
	m, err := b.method()
	if err != nil {
		return err
	}
	if runtime.NumCPU() <= max(sendCPU, receiveCPU) {
		return fmt.Errorf("use CPU %d: %w", receiveCPU, errors.ErrUnsupported)
	}
	if err := b.exclude(); err != nil {
		return err
	}
	if b.net, err = lab.NewNet(); err != nil {
		return err
	}
	b.onClose(b.net.Close)
	if b.programs, err = load(m.program, injectProgArrive); err != nil {
		return err
	}
	b.onClose(b.programs.close)
	if err := b.newTraffic(); err != nil {
		return fmt.Errorf("prepare traffic: %w", err)
	}
	if err := m.route(); err != nil {
		return err
	}
	b.inject, err = m.prepare()
	return err
}

// Net returns the network: packets go from its Tx to its Rx.
func (b *Bench) Net() *lab.Net {
	return b.net
}

// Inject holds the CPU that packets are received on for about d, and returns when
// that is over. It may be called again.
func (b *Bench) Inject(d time.Duration) (Truth, error) {
	if d <= 0 || d > MaxHold {
		return Truth{}, fmt.Errorf("inject %s: invalid duration %s", b.class, d)
	}
	truth, err := b.inject(d)
	if err != nil {
		return Truth{}, fmt.Errorf("inject %s: %w", b.class, err)
	}
	truth.Class = b.class
	return truth, nil
}

// Close ends the traffic and removes everything, in the opposite order of its making.
func (b *Bench) Close() error {
	var errs []error
	for _, c := range slices.Backward(b.closers) {
		errs = append(errs, c())
	}
	b.closers = nil
	return errors.Join(errs...)
}

// onClose has f called when the bench is closed.
func (b *Bench) onClose(f func() error) {
	b.closers = append(b.closers, f)
}
