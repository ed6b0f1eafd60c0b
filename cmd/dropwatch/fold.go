// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

func newFold(s streams) *cobra.Command {
	var out string
	var stacks stackFlags
	var of subject
	var header bool
	cmd := &cobra.Command{
		Use:   "fold",
		Short: "Write stacks as folded lines",
		Long: `Writes one sorted line per stack: the frames from the root, separated by
semicolons, and the number of drops. The root is the context, the leaf the reason.
A semicolon within a name is written \x3b.

Stalls (--of stalls) are folded by what held the CPU: its task, interrupt or softirq as
the root, the verdict as the leaf, the delay in nanoseconds as the number.`,
		Example: `  dropwatch fold | grep nft_do_chain
  dropwatch fold --root device | dropwatch flamegraph - -o drops.svg`,
		RunE: func(_ *cobra.Command, args []string) error {
			options, err := stacks.options(of)
			if err != nil {
				return err
			}
			return withRecording(s, args, func(src event.Source) error {
				if of == ofStalls {
					return foldStalls(s, src, options, header, out)
				}
				stacks, readErr := profile.Fold(src, options)
				var b bytes.Buffer
				if header && (readErr == nil || len(stacks.Of) > 0) {
					writeHeader(&b, src.Meta(), "packets dropped")
				}
				if err := profile.WriteFolded(&b, stacks); err != nil {
					return err
				}
				warnCut(s, stacks.Cut)
				for _, remark := range stacks.Remarks() {
					fmt.Fprintf(s.err, "note: %s\n", remark)
				}
				return emitRead(s, out, false, b.Bytes(), readErr)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write instead of standard output")
	stacks.add(cmd.Flags())
	of.add(cmd.Flags())
	cmd.Flags().BoolVar(&header, "header", false, "begin with a comment that says what is counted, where and when")
	return recordingArg(cmd)
}

// writeHeader writes a comment line, which dropwatch flamegraph skips.
func writeHeader(b *bytes.Buffer, meta *event.Meta, what string) {
	fmt.Fprintf(b, "# %s on %s since %s, Linux %s\n", what, meta.Host, meta.Start.Format(time.RFC3339), meta.Kernel)
}

func foldStalls(s streams, src event.Source, o profile.StackOptions, header bool, out string) error {
	stacks, readErr := profile.FoldStalls(src, o)
	var b bytes.Buffer
	if header && (readErr == nil || len(stacks.Of) > 0) {
		writeHeader(&b, src.Meta(), "nanoseconds that packets waited")
	}
	if err := profile.WriteFoldedStalls(&b, stacks); err != nil {
		return err
	}
	warnCut(s, stacks.Cut)
	return emitRead(s, out, false, b.Bytes(), readErr)
}
