// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
)

// cost measures how long the programs run per drop, as the kernel's BPF statistics
// tell. Taking the time costs some of it: the empty program shows how much. Both run at the
// same drops, so that what else the machine does is the same for both.
func cost(ctx context.Context, w io.Writer, flood *lab.Flood, o options) (err error) {
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		return err
	}
	defer stats.Close()
	for _, start := range []func() (func() (saw, error), error){
		startEmpty, startDropwatch(o, filepath.Join(o.dir, "cost")),
	} {
		stop, startErr := start()
		if startErr != nil {
			return startErr
		}
		defer func() {
			_, stopErr := stop()
			err = errors.Join(err, stopErr)
		}()
	}
	if _, err := flood.Run(ctx, lab.Sendto, o.duration); err != nil {
		return err
	}
	least, err := perRun(emptyName)
	if err != nil {
		return err
	}
	ns, err := perRun("kfree_skb_btf")
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nan empty program runs for %.0f ns a drop, dropwatch for %.0f, %.2f times as long\n", least, ns, ns/least)
	return nil
}

// perRun returns the mean run time of a program, by its name, in nanoseconds.
func perRun(name string) (float64, error) {
	for id := ebpf.ProgramID(0); ; {
		next, err := ebpf.ProgramGetNextID(id)
		if err != nil {
			return 0, fmt.Errorf("find program %s: %w", name, err)
		}
		id = next
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			continue // gone since
		}
		if err != nil {
			return 0, err
		}
		info, err := p.Info()
		if err != nil || info.Name != name {
			_ = p.Close()
			continue
		}
		stats, err := p.Stats()
		_ = p.Close()
		if err != nil || stats.RunCount == 0 {
			return 0, fmt.Errorf("program %s: %d runs: %w", name, stats.RunCount, err)
		}
		return float64(stats.Runtime.Nanoseconds()) / float64(stats.RunCount), nil
	}
}
