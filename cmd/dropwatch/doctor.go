// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/finding"
	"github.com/dropwatch/dropwatch/pkg/report"
)

type doctorFlags struct {
	duration       time.Duration
	format, failOn string
}

func newDoctor(s streams) *cobra.Command {
	var flags doctorFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Tell what this node loses, what to change, and what stays invisible",
		Long: `Watches this node for a while and reports

  what it loses and what to change: each finding with its evidence, the exact commands,
  how to keep and how to undo them, and what they cost; nothing is changed here
  which of the node's own counters of lost packets moved, and how much of that was traced
  what dropwatch can do on this kernel, tried by attaching, and what it cannot see

Without root it reports what it could read, and what it could not.`,
		Example: `  sudo dropwatch doctor
  sudo dropwatch doctor -d 1m -f json | jq '.findings[].fix[]'
  sudo dropwatch doctor -d 30s --fail-on warning   # exit status 5 if there is one`,
		Args: usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			limit, err := parseFailOn(flags.failOn)
			if err != nil {
				return err
			}
			if flags.format != "text" && flags.format != "json" {
				return usageError{fmt.Errorf("unknown format %q: choose text or json", flags.format)}
			}
			d, err := examine(cmd.Context(), s, flags)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if flags.format == "json" {
				err = report.WriteDoctorJSON(&b, d)
			} else {
				err = report.WriteDoctorText(&b, d, columns(s.out), s.color.on(s.out))
			}
			if err != nil {
				return err
			}
			if err := emit(s, "", false, b.Bytes()); err != nil {
				return err
			}
			return crossed(d.Findings, limit)
		},
	}
	f := cmd.Flags()
	flags.duration = 10 * time.Second
	f.VarP(span{value: &flags.duration, least: time.Millisecond}, "duration", "d", "how long to watch")
	f.StringVarP(&flags.format, "format", "f", "text", "text or json")
	f.StringVar(&flags.failOn, "fail-on", "", "info, warning or critical: exit with status 5 if a finding is as bad")
	return cmd
}

func parseFailOn(text string) (finding.Severity, error) {
	switch s := finding.Severity(text); s {
	case "", finding.Info, finding.Warning, finding.Critical:
		return s, nil
	}
	return "", usageError{fmt.Errorf("unknown severity %q: choose info, warning or critical", text)}
}

// crossed returns an error if a finding is as bad as the user's limit.
func crossed(findings []finding.Finding, limit finding.Severity) error {
	if limit == "" {
		return nil
	}
	for _, f := range findings { // the worst is the first
		if f.Severity.AtLeast(limit) {
			return thresholdError{fmt.Errorf("%s: %s", f.Severity, f.ID)}
		}
	}
	return nil
}
