// SPDX-License-Identifier: Apache-2.0

// Command dropwatch finds out which packets a Linux node drops, where, and why.
package main

import (
	"context"
	"io"
	"os"
)

// streams are what a command reads and writes. Data goes to out, everything else
// to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
	color    *colorMode
}

func main() {
	s := streams{os.Stdin, os.Stdout, os.Stderr, new(colorMode)}
	err := run(context.Background(), os.Args[1:], s)
	if err != nil {
		complain(s.err, err)
	}
	os.Exit(status(err))
}

func run(ctx context.Context, args []string, s streams) error {
	root := newRoot(s)
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
