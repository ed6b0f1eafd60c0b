// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/pflag"
)

// subject is a flag for what to show of a recording.
type subject string

const (
	ofDrops  subject = "drops"
	ofStalls subject = "stalls"
)

func (o *subject) String() string { return string(*o) }

func (o *subject) Type() string { return "what" }

func (o *subject) Set(text string) error {
	if *o = subject(text); *o != ofDrops && *o != ofStalls {
		return fmt.Errorf("choose %s or %s", ofDrops, ofStalls)
	}
	return nil
}

func (o *subject) add(flags *pflag.FlagSet) {
	*o = ofDrops
	flags.Var(o, "of", "drops, or stalls: what kept packets waiting, by delay")
}
