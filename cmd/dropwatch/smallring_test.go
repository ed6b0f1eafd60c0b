// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"

	"github.com/dropwatch/dropwatch/pkg/trace"
)

// inSmallRing is the value of asDropwatch that makes this test binary behave as
// dropwatch record -q -o - with a ring buffer of one page, for which there is no flag.
const inSmallRing = "small ring"

func recordInSmallRing() {
	s := streams{os.Stdin, os.Stdout, os.Stderr, new(colorMode)}
	err := record(context.Background(), s, recordOptions{
		trace:  trace.Config{RingBytes: 1, Stalls: &trace.StallConfig{}},
		output: "-",
		quiet:  true,
	})
	if err != nil {
		complain(s.err, err)
	}
	os.Exit(status(err))
}
