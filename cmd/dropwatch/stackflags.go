// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/dropwatch/dropwatch/pkg/profile"
)

// stackFlags are the flags of commands that show stacks.
type stackFlags struct {
	root     string
	noReason bool
}

// contextRoot is the root of stacks unless told otherwise.
const contextRoot = "context"

func (f *stackFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.root, "root", contextRoot, "what stacks are grouped by at the root: reason, device, netns, context, comm or others of report --by, separated by commas")
	flags.BoolVar(&f.noReason, "no-reason-frame", false, "leave out the reason as innermost frame")
}

// options returns what the flags say of stacks of drops or stalls.
func (f *stackFlags) options(of subject) (profile.StackOptions, error) {
	if of == ofStalls && f.root != contextRoot {
		return profile.StackOptions{}, usageError{errors.New("--root says nothing about stalls: their root is what held the CPU")}
	}
	root, err := profile.ParseDimensions(f.root)
	if err != nil {
		return profile.StackOptions{}, usageError{err}
	}
	return profile.StackOptions{Root: root, NoReason: f.noReason}, nil
}

// share is a flag for a part of a whole: 0.5% or 0.005.
type share float64

func (s *share) String() string { return strconv.FormatFloat(float64(*s)*100, 'g', -1, 64) + "%" }

func (s *share) Type() string { return "share" }

func (s *share) Set(text string) error {
	digits, isPercent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if isPercent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("needs a share from 0%% to 100%%, such as 0.5%% or 0.005")
	}
	*s = share(v)
	return nil
}
