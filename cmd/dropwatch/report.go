// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
)

func newReport(s streams) *cobra.Command {
	var by, format, out string
	var limit int
	var all bool
	var of subject
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Show where packets died, as tables",
		Long: `Adds up the drops of a recording by any mix of

  reason location layer class device netns proto   exact: every drop is counted by them
  comm pid cpu context flow dst stack              estimated where drops were sampled

comm and pid are the interrupted task's in softirq context, not the packet's owner.

Benign drops, which nobody misses, are taken out of all groups and named in one line;
--all leaves them where they are, as JSON does. The first line and shares are of lost
packets alone.

Stalls (--of stalls) are added up by CPU, verdict and culprit.`,
		Example: `  dropwatch report
  dropwatch report --by reason
  dropwatch report --by device,flow --limit 5 node7.jsonl.zst
  dropwatch report --by layer -f json | jq '.groups[0]'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			dimensions, err := profile.ParseDimensions(by)
			if err != nil {
				return usageError{err}
			}
			printer, err := reportPrinter(format, out == "" && s.color.on(s.out))
			if err != nil {
				return err
			}
			if of == ofStalls {
				return withRecording(s, args, func(src event.Source) error { return reportStalls(s, cmd, src, format, out, limit) })
			}
			return withRecording(s, args, func(src event.Source) error {
				r, readErr := report.Read(src, report.Options{By: dimensions, Limit: limit, Fold: !all && format == "text"})
				warnCut(s, r.Cut)
				return errors.Join(readErr, emitFrom(s, out, false, func(w io.Writer) error { return printer(w, r) }))
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", report.DefaultBy, "what to group by, separated by commas")
	limitVar(cmd.Flags(), &limit, "limit", "n", 20, "groups to show, the largest first; 0: all")
	cmd.Flags().BoolVar(&all, "all", false, "show benign drops as groups too")
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write instead of standard output")
	of.add(cmd.Flags())
	return recordingArg(cmd)
}

// reportStalls prints what a recording's stalls add up to.
func reportStalls(s streams, cmd *cobra.Command, src event.Source, format, out string, limit int) error {
	for _, name := range []string{"by", "all"} {
		if cmd.Flags().Changed(name) {
			return usageError{fmt.Errorf("--%s says nothing about stalls", name)}
		}
	}
	sums := report.NewStallSums(src.Meta())
	readErr := profile.Each(src, func(e event.Event) error { sums.Add(e); return nil })
	cut, isCut := event.AsCut(readErr)
	if isCut {
		readErr = nil
	}
	var b bytes.Buffer
	var err error
	if format == "json" {
		err = sums.WriteJSON(&b)
	} else {
		err = sums.WriteText(&b, limit)
	}
	if err != nil {
		return err
	}
	warnCut(s, cut)
	return emitRead(s, out, false, b.Bytes(), readErr)
}

type printer func(io.Writer, *report.Report) error

func reportPrinter(format string, color bool) (printer, error) {
	switch format {
	case "text":
		return func(w io.Writer, r *report.Report) error { return report.WriteText(w, r, color) }, nil
	case "json":
		return report.WriteJSON, nil
	}
	return nil, usageError{fmt.Errorf("unknown format %q: choose text or json", format)}
}
