// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

// Command lab makes packets die in every way the lab knows, so that there is
// something to record. It needs root.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/dropwatch/dropwatch/internal/lab"
)

func main() {
	n := flag.Int("n", 20, "how many packets in each way; a hundred times as many in the first")
	flag.Parse()
	if err := run(context.Background(), *n); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, n int) error {
	for i, s := range lab.Scenarios() {
		packets := n
		if i == 0 {
			packets = 100 * n
		}
		out, err := s.Run(ctx, packets)
		switch {
		case errors.Is(err, errors.ErrUnsupported):
			fmt.Printf("%-25s not on this kernel\n", s.Name)
		case err != nil:
			return fmt.Errorf("%s: %w", s.Name, err)
		default:
			fmt.Printf("%-25s %5d drops: %s\n", s.Name, out.Expect.Drops, s.Doc)
		}
	}
	return nil
}
