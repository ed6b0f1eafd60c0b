// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// whole is a flag for a whole number within bounds.
type whole struct {
	value       *int
	least, most int
}

func (w whole) String() string {
	if w.value == nil {
		return "0"
	}
	return strconv.Itoa(*w.value)
}

func (w whole) Type() string { return "int" }

func (w whole) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err != nil || v < w.least || v > w.most {
		return fmt.Errorf("needs a whole number from %d to %d", w.least, w.most)
	}
	*w.value = v
	return nil
}

// limitVar adds a flag for how many of something to show, 0 for all.
func limitVar(f *pflag.FlagSet, to *int, name, short string, value int, usage string) {
	*to = value
	f.VarP(whole{to, 0, math.MaxInt32}, name, short, usage)
}

// span is a flag for a time within bounds; most of 0 is none.
type span struct {
	value       *time.Duration
	least, most time.Duration
}

func (s span) String() string {
	if s.value == nil || *s.value == 0 {
		return "0"
	}
	return s.value.String()
}

func (s span) Type() string { return "duration" }

func (s span) Set(text string) error {
	v, err := time.ParseDuration(text)
	switch {
	case err == nil && v >= s.least && (s.most == 0 || v <= s.most):
		*s.value = v
		return nil
	case s.most > 0:
		return fmt.Errorf("needs a time from %v to %v", s.least, s.most)
	case s.least > 0:
		return fmt.Errorf("needs a time of %v or longer, such as 10s", s.least)
	}
	return fmt.Errorf("needs a time such as 10s or 500ms; 0 is for ever")
}

// durationVar adds a flag for how long something lasts, 0 for ever.
func durationVar(f *pflag.FlagSet, to *time.Duration, usage string) {
	f.VarP(span{value: to}, "duration", "d", usage)
}

// thresholdVar adds a flag for how long packets wait before that is told.
func thresholdVar(f *pflag.FlagSet, to *time.Duration, name, usage string) {
	*to = defaultThreshold
	f.Var(span{to, time.Millisecond, time.Minute}, name, usage) // as trace.StallConfig takes it
}

// onlyLive returns an error if a flag was given that a recording makes no use of.
func onlyLive(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return usageError{fmt.Errorf("--%s is for this machine and says nothing about a recording", name)}
		}
	}
	return nil
}
