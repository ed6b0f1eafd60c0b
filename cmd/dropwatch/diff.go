// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/report"
)

type diffFlags struct {
	by, format, output string
	minChange          share
	limit              int
	stacks             stackFlags
}

func newDiff(s streams) *cobra.Command {
	flags := diffFlags{minChange: 0.1}
	cmd := &cobra.Command{
		Use:   "diff [flags] A B [C...]",
		Short: "Compare recordings: did the change help?",
		Long: `Compares the last recording with the first by drops per second, so that a rate
that fell everywhere is seen to have fallen, and tells for each group whether it is
new, gone, changed or the same. With more than two, the steps between are shown too.
Benign drops are a line of their own; JSON has them as groups, and pictures as stacks.

As a picture, a stack is as wide as the larger of its rates, so that stacks that are
gone are still seen, and every frame is colored by how its own rate changed: orange
for more, blue for less.

A, B and further FILEs are recordings; - is standard input.`,
		Example: `  dropwatch diff before.jsonl.zst after.jsonl.zst
  dropwatch diff drops.jsonl.zst.old drops.jsonl.zst -o change.svg
  dropwatch diff baseline.jsonl.zst ring.jsonl.zst backlog.jsonl.zst
  dropwatch diff --by device,reason -f json a.jsonl.zst b.jsonl.zst | jq '.groups[] | select(.class == "new")'`,
		DisableFlagsInUseLine: true,
		Args:                  usage(cobra.MinimumNArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error {
			print, err := flags.printer(s, cmd)
			if err != nil {
				return err
			}
			return withRecordings(s, args, func(recordings []profile.Recording) error {
				content, readErr := print(recordings)
				return emitRead(s, flags.output, false, content, readErr)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.by, "by", report.DefaultDiffBy, "what to group tables by, as report --by")
	limitVar(f, &flags.limit, "limit", "n", 20, "groups to show, the largest change first; 0: all")
	f.Var(&flags.minChange, "min-change", "up to this share of the larger rate, rates are the same")
	f.StringVarP(&flags.format, "format", "f", "", "text, json, svg or html (default: by the file's name, else text)")
	f.StringVarP(&flags.output, "output", "o", "", "file to write instead of standard output")
	flags.stacks.add(f)
	return cmd
}

// printer returns what makes the output of recordings in the format asked for. An
// error may come with the output of what was read before it.
func (f *diffFlags) printer(s streams, cmd *cobra.Command) (func([]profile.Recording) ([]byte, error), error) {
	format := f.format
	if format == "" {
		if format = cmp.Or(formatOf(f.output), "text"); format == "unknown" {
			return nil, usageError{fmt.Errorf("no comparison in the format of %s: name it .txt, .json, .svg or .html, or say which with --format", f.output)}
		}
	}
	unused := []string{"root", "no-reason-frame"}
	if format == "svg" || format == "html" {
		unused = []string{"by", "limit"}
	}
	for _, name := range unused {
		if cmd.Flags().Changed(name) {
			return nil, usageError{fmt.Errorf("--%s says nothing about the format %s", name, format)}
		}
	}
	switch format {
	case "text", "json":
		by, err := profile.ParseDimensions(f.by)
		if err != nil {
			return nil, usageError{err}
		}
		o := profile.CompareOptions{By: by, MinChange: float64(f.minChange), Limit: f.limit, Fold: format == "text"}
		color := f.output == "" && s.color.on(s.out)
		return func(r []profile.Recording) ([]byte, error) { return compare(r, o, format, color) }, nil
	case "svg", "html":
		o, err := f.stacks.options(ofDrops)
		if err != nil {
			return nil, err
		}
		return func(r []profile.Recording) ([]byte, error) {
			p, err := profile.DrawChange(r, o, float64(f.minChange))
			if p == nil {
				return nil, err
			}
			content, drawErr := render(p, format)
			return content, errors.Join(err, drawErr)
		}, nil
	}
	return nil, usageError{fmt.Errorf("unknown format %q: choose text, json, svg or html", format)}
}

// formatOf returns the format that a file's name stands for: "" for one without an
// ending, "unknown" for another ending.
func formatOf(name string) string {
	if !strings.HasPrefix(filepath.Clean(name), "/dev/") && filepath.Ext(name) != "" {
		return formatOfEnding(filepath.Ext(name))
	}
	return ""
}

func formatOfEnding(ending string) string {
	switch strings.ToLower(ending) {
	case ".svg":
		return "svg"
	case ".html", ".htm":
		return "html"
	case ".json":
		return "json"
	case ".txt", ".text":
		return "text"
	}
	return "unknown"
}

// compare returns a comparison as text or JSON.
func compare(r []profile.Recording, o profile.CompareOptions, format string, color bool) ([]byte, error) {
	c, readErr := profile.Compare(r, o)
	if c == nil {
		return nil, readErr
	}
	var b bytes.Buffer
	write := func() error { return report.WriteDiffText(&b, c, color) }
	if format == "json" {
		write = func() error { return report.WriteDiffJSON(&b, c) }
	}
	if err := write(); err != nil {
		return nil, errors.Join(readErr, err)
	}
	return b.Bytes(), readErr
}

// withRecordings has do read the recordings a command was given.
func withRecordings(s streams, args []string, do func([]profile.Recording) error) error {
	files, err := openAll(s, args)
	if err != nil {
		return err
	}
	defer files.Close()
	var recordings []profile.Recording
	for _, f := range files {
		src, err := recording.NewReader(f)
		if err != nil {
			return fmt.Errorf("read %s: %w", f.name, err)
		}
		defer src.Close()
		recordings = append(recordings, profile.Recording{Name: f.name, Source: src})
	}
	return do(recordings)
}
