// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cilium/ebpf"

	"github.com/dropwatch/dropwatch/internal/lab"
)

// runs is how often a program ran and for how long, by the kernel's BPF statistics.
type runs struct {
	name  string
	count uint64
	time  time.Duration
}

// statsOn has the kernel count the time of BPF programs, until the function it returns
// is called.
func statsOn() (off func(), err error) {
	const stats = "/proc/sys/kernel/bpf_stats_enabled"
	if err := os.WriteFile(stats, []byte("1"), 0); err != nil {
		return nil, err
	}
	return func() { _ = os.WriteFile(stats, []byte("0"), 0) }, nil
}

// allPrograms returns what every BPF program of the machine has run.
func allPrograms() (map[ebpf.ProgramID]runs, error) {
	all := map[ebpf.ProgramID]runs{}
	for id, err := ebpf.ProgramGetNextID(0); ; id, err = ebpf.ProgramGetNextID(id) {
		if errors.Is(err, os.ErrNotExist) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		p, err := ebpf.NewProgramFromID(id)
		if err != nil {
			continue // gone meanwhile
		}
		info, infoErr := p.Info()
		stats, err := p.Stats()
		p.Close()
		if infoErr == nil && err == nil {
			all[id] = runs{info.Name, stats.RunCount, stats.Runtime}
		}
	}
}

// costs prints how long each program runs beside iperf3, with what measuring adds.
func costs(net *lab.Net, o options) error {
	off, err := statsOn()
	if err != nil {
		return err
	}
	defer off()
	w, err := watchStalls(o)
	if err != nil {
		return err
	}
	before, err := allPrograms()
	if err != nil {
		return err
	}
	if _, err := send(net, o.duration); err != nil {
		return err
	}
	after, err := allPrograms()
	if err != nil {
		return err
	}
	var list []runs
	for id, a := range after {
		if n := a.count - before[id].count; n > 1000 {
			list = append(list, runs{a.name, n, a.time - before[id].time})
		}
	}
	slices.SortFunc(list, func(a, b runs) int { return int(b.time - a.time) })
	for _, r := range list {
		fmt.Printf("%-20s %4d ns, %7.0f a second\n", r.name, r.time.Nanoseconds()/int64(r.count), float64(r.count)/o.duration.Seconds())
	}
	return w.end()
}
