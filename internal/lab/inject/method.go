// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import "fmt"

// A method is how a class is injected.
type method struct {
	program string                   // BPF program that it needs
	route   func() error             // gets packets handled on receiveCPU
	prepare func() (injector, error) // after the route
}

// method returns that of the bench's class.
func (b *Bench) method() (method, error) {
	switch b.class {
	case BHOff:
		return method{injectProgHoldBhOff, b.steer, b.newBHOff}, nil
	case LongSyscall:
		return method{injectProgHoldRead, b.steer, b.newLongSyscall}, nil
	case IRQOff:
		return method{injectProgHoldIrqOff, b.steer, b.newIRQOff}, nil
	case HardirqLong:
		return method{injectProgHoldHardirq, b.steer, b.newHardirq}, nil
	case OtherSoftirq:
		return method{injectProgHoldSoftirq, b.steer, ready(b.otherSoftirq)}, nil
	case NETRXSlow, NETRXBudget:
		return method{injectProgHoldReceive, b.steer, b.newBurst}, nil
	case RTStarve:
		return method{injectProgPass, b.thread, ready(b.rtStarve)}, nil
	case CPUContention:
		return method{injectProgPass, b.thread, b.newContention}, nil
	}
	return method{}, fmt.Errorf("invalid class %q", b.class)
}

// ready is for an injector that needs no preparation.
func ready(inject injector) func() (injector, error) {
	return func() (injector, error) { return inject, nil }
}
