// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

func newFold(s streams) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "fold",
		Short: "Write stacks as folded lines",
		Long: `Writes one sorted line per stack: the frames from the root, separated by
semicolons, and the number of drops. The root is the context, the leaf the reason.`,
		Example: `  dropwatch fold | grep nft_do_chain
  dropwatch fold | dropwatch flamegraph - -o drops.svg`,
		RunE: func(_ *cobra.Command, args []string) error {
			return withRecording(s, args, func(src event.Source) error {
				stacks, readErr := profile.Fold(src)
				var b bytes.Buffer
				if err := profile.WriteFolded(&b, stacks); err != nil {
					return err
				}
				warnCut(s, stacks.Cut)
				return errors.Join(readErr, emit(s, out, false, b.Bytes()))
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write instead of standard output")
	return recordingArg(cmd)
}
