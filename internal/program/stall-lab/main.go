// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

// Command stall-lab keeps packets waiting on CPU 1 in every way that dropwatch knows,
// for 50 ms each, in network namespaces of its own. It needs root.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

func main() {
	for _, class := range inject.Classes() {
		truth, err := hold(class, 50*time.Millisecond)
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		fmt.Printf("%-14s CPU %d for %v %s\n", class, truth.CPU, (truth.End - truth.Start).Round(100*time.Microsecond), truth.Comm)
	}
}

// hold has an injector hold the CPU in the middle of traffic.
func hold(class inject.Class, d time.Duration) (truth inject.Truth, err error) {
	bench, err := inject.Open(class)
	if err != nil {
		return truth, err
	}
	defer func() { err = errors.Join(err, bench.Close()) }()
	if err := bench.Start(); err != nil {
		return truth, err
	}
	time.Sleep(2 * symbolize.Refresh) // a recorder may read the symbols of the injector's programs
	truth, err = bench.Inject(d)
	time.Sleep(20 * time.Millisecond)
	_, stopped := bench.Stop()
	return truth, errors.Join(err, stopped)
}
