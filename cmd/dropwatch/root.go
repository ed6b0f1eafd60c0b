// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "dropwatch",
		Short: "See which packets a Linux node drops, where, and why",
		Long: `dropwatch counts every packet that the kernel drops, keeps a sample of the
stacks that explain it, and shows them as tables, events, profiles and pictures.`,
		Example: `  sudo dropwatch record -d 10s      # record this node for ten seconds
  dropwatch report                  # where packets died
  dropwatch flamegraph -o drops.svg # as a picture`,
		Version:       version(),
		Args:          usage(cobra.NoArgs),
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	*s.color = "auto"
	root.PersistentFlags().Var(s.color, "color", "color in tables")
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(
		newRecord(s), newReport(s), newEvents(s), newFold(s), newPProf(s), newFlamegraph(s), newDiff(s),
		newStalls(s), newICMP(s), newDoctor(s), newReasons(s), newVersion(s), newMan(s),
	)
	strict(root)
	return root
}

// usage has a wrong number of arguments end with the status of wrong usage.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}
