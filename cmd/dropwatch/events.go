// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
)

var errEnough = errors.New("as many events as asked for")

func newEvents(s streams) *cobra.Command {
	var format, out string
	var options report.EventOptions
	var count int
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show sampled drops one by one",
		Long: `Shows each sampled drop as a line: time, device, packet, reason, location, and the
task and CPU it was seen on. ×12 marks a sample that stands for twelve drops. Parts of
packets, which are freed with them, are no drops and not shown.`,
		Example: `  dropwatch events | head
  dropwatch events -v -c 1          # with its stack
  dropwatch events -f json | jq 'select(.reason == "NO_SOCKET") | .dport'
  ssh node7 sudo dropwatch record -d 10s -o - | dropwatch events -`,
		RunE: func(_ *cobra.Command, args []string) error {
			newPrinter, err := eventPrinter(format, options)
			if err != nil {
				return err
			}
			return withRecording(s, args, func(src event.Source) (err error) {
				w, err := output(s, out, false, private())
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, w.Close()) }()
				buffered := bufio.NewWriter(streamed{w})
				err = showEvents(src, count, newPrinter(buffered, src.Meta()))
				if cut, ok := event.AsCut(err); ok {
					warnCut(s, cut)
					err = nil
				}
				if err = flushed(buffered, err); err != nil {
					return err
				}
				return w.place()
			})
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json (one object a line)")
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write instead of standard output")
	limitVar(cmd.Flags(), &count, "count", "c", 0, "stop after this many events; 0: all")
	cmd.Flags().BoolVarP(&options.Stack, "verbose", "v", false, "show stacks")
	cmd.Flags().BoolVarP(&options.Hex, "hex", "x", false, "show the packets' bytes, if recorded with --snaplen")
	return recordingArg(cmd)
}

func showEvents(src event.Source, count int, print func(*event.Drop) error) error {
	err := profile.Each(src, func(e event.Event) error {
		d, ok := e.(*event.Drop)
		if !ok || profile.IsPart(d.Cell) {
			return nil
		}
		if err := print(d); err != nil {
			return err
		}
		if count--; count == 0 {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// eventPrinter returns what makes a function that writes events in a format.
func eventPrinter(format string, options report.EventOptions) (func(io.Writer, *event.Meta) func(*event.Drop) error, error) {
	switch format {
	case "text":
		return func(w io.Writer, meta *event.Meta) func(*event.Drop) error {
			var line []byte
			return func(d *event.Drop) error {
				line = report.AppendEvent(line[:0], meta, d, options)
				_, err := w.Write(line)
				return err
			}
		}, nil
	case "json":
		return func(w io.Writer, meta *event.Meta) func(*event.Drop) error {
			return report.NewEventEncoder(w, meta).Encode
		}, nil
	}
	return nil, usageError{fmt.Errorf("unknown format %q: choose text or json", format)}
}
