// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

type recordOptions struct {
	trace    trace.Config
	output   string
	duration time.Duration
	quiet    bool
	command  []string // to run meanwhile; none: until the duration is over or a signal comes
}

func newRecord(s streams) *cobra.Command {
	var options recordOptions
	var noStalls bool
	var threshold time.Duration
	cmd := &cobra.Command{
		Use:                   "record [flags] [-- COMMAND [ARG]...]",
		DisableFlagsInUseLine: true,
		Short:                 "Record every packet this node drops, and what keeps packets waiting",
		Long: `Counts every packet the kernel drops and records a sample of them with stack,
packet headers and task, until interrupted, until the duration is over, or while a
command runs, whose exit status it then returns.

Counts are exact. Up to --unwind-budget drops a second are unwound; above it a
sample stands for several drops of its kind, and rare kinds keep theirs.

CPUs that leave packets waiting for --stall-threshold or longer are recorded too, see
dropwatch stalls, but not while one of them handles more than 100,000 batches of
packets a second: watching would cost it two percent.

A command has the terminal, files and environment that it would have without dropwatch.
Ctrl-C is its business; signals that dropwatch gets from elsewhere are passed on, and a
second one ends dropwatch at once. Without a command the first ends the recording.

The file takes its name when the first event is written; one of that name becomes
FILE.old.

Recording needs root, or CAP_BPF and CAP_PERFMON, and CAP_SYSLOG for function names.
Once it records, dropwatch gives up the capabilities that it no longer needs; a command
that it runs keeps them.`,
		Example: `  sudo dropwatch record -d 10m
  sudo dropwatch record -o before.jsonl.zst -- ./load-test
  sudo dropwatch record --exact --snaplen 256 -d 5s
  sudo dropwatch record -d 10s -o - | dropwatch events -`,
		Args: usage(func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); len(args) > 0 && dash != 0 {
				return errors.New("a command to run comes after --")
			}
			return nil
		}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.trace.Exact && cmd.Flags().Changed("unwind-budget") {
				return usageError{errors.New("--exact unwinds every drop: it takes no --unwind-budget")}
			}
			if noStalls && cmd.Flags().Changed("stall-threshold") {
				return usageError{errors.New("--no-stalls takes no --stall-threshold")}
			}
			if !noStalls {
				options.trace.Stalls = &trace.StallConfig{Threshold: threshold}
			}
			options.command = args
			return record(cmd.Context(), s, options)
		},
	}
	flags := cmd.Flags()
	flags.StringVarP(&options.output, "output", "o", recording.DefaultName, "file to write; - is standard output")
	durationVar(flags, &options.duration, "how long to record; 0: until interrupted")
	flags.BoolVar(&options.trace.Exact, "exact", false, "unwind every drop, whatever it costs")
	options.trace.UnwindBudget = trace.DefaultBudget
	flags.Var(whole{&options.trace.UnwindBudget, 1, trace.MaxBudget}, "unwind-budget", "drops to unwind per second, on all CPUs together")
	flags.Var(whole{&options.trace.Snaplen, 0, trace.MaxSnaplen}, "snaplen", "bytes to keep of each sampled packet")
	flags.StringVar(&options.trace.BTF, "btf", "", btfUsage)
	flags.BoolVar(&noStalls, "no-stalls", false, "record drops alone")
	thresholdVar(flags, &threshold, "stall-threshold", "packets that wait this long on a CPU are a stall")
	flags.BoolVarP(&options.quiet, "quiet", "q", false, "no status line and no summary")
	return cmd
}
