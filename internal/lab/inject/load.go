// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
)

// programs are the BPF programs of one bench, and the memory they share with Go.
type programs struct {
	*ebpf.Collection
}

// load loads the named programs and leaves out the others, which this kernel may not have.
func load(names ...string) (*programs, error) {
	spec, err := loadInject()
	if err != nil {
		return nil, err
	}
	for name := range spec.Programs {
		if !slices.Contains(names, name) {
			delete(spec.Programs, name)
		}
	}
	if err := spec.Variables[injectVarSlowPort].Set(uint16(slowPort)); err != nil {
		return nil, fmt.Errorf("set port of slow packets: %w", err)
	}
	if err := rlimit.RemoveMemlock(); err != nil { // before 5.11
		return nil, fmt.Errorf("remove limit of locked memory: %w", err)
	}
	collection, err := ebpf.NewCollection(spec)
	if err != nil {
		return nil, fmt.Errorf("load BPF programs %q: %w", names, lacking(err))
	}
	return &programs{collection}, nil
}

// lacking marks an error as errors.ErrUnsupported if it means that the kernel lacks
// something that BPF needs.
func lacking(err error) error {
	if errors.Is(err, ebpf.ErrNotSupported) {
		return fmt.Errorf("%w (%w by this kernel)", err, errors.ErrUnsupported)
	}
	return err
}

// close unloads the programs.
func (p *programs) close() error {
	p.Collection.Close()
	return nil
}

// arm has each of the coming holds last for d, and forgets the last window.
func (p *programs) arm(d time.Duration) error {
	err := errors.Join(
		p.Variables[injectVarHeld].Set(injectWindow{}),
		p.Variables[injectVarHoldNs].Set(uint64(d)),
		p.Variables[injectVarArmed].Set(true),
	)
	if err != nil {
		return fmt.Errorf("arm BPF program: %w", err)
	}
	return nil
}

// window waits until the CPU has been held so many times, and completes a Truth.
func (p *programs) window(holds int, truth Truth) (Truth, error) {
	var held injectWindow
	err := await("end of hold", patience, func() (bool, error) {
		err := p.Variables[injectVarHeld].Get(&held)
		return held.EndNs != 0 && int(held.Holds) >= holds, err
	})
	if err != nil {
		return Truth{}, err
	}
	truth.CPU = int(held.Cpu)
	truth.Start, truth.End = time.Duration(held.StartNs), time.Duration(held.EndNs)
	return truth, nil
}
