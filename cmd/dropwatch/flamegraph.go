// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

var errPictureToTerminal = errors.New("a picture is nothing for a terminal: name a file with -o, or redirect")

type pictureFlags struct {
	output, format, title string
	by, colors            string
	icicle                bool
	minShare              share
	stacks                stackFlags
	of                    subject
}

func newFlamegraph(s streams) *cobra.Command {
	var flags pictureFlags
	cmd := &cobra.Command{
		Use:   "flamegraph [flags] [FILE...]",
		Short: "Draw stacks as an interactive picture",
		Long: `Draws the stacks of recordings, of folded lines or of pprof profiles as one file
that any browser opens, without a network: click a frame to zoom, a reason to have
it explained, search with Ctrl-F, reset with Escape. The root is the context, the
leaf the reason, the color the network layer, paler where drops are benign.

Of stalls (--of stalls) the root is what held the CPU, the leaf the verdict, and widths
are delays.

FILE is a recording, folded stacks of any program, or a profile in any format that
go tool pprof reads; its content decides which. By default it is what is piped or
redirected to standard input, else ` + recording.DefaultName + `; - is standard input.
Folded lines with two counts, as difffolded.pl writes them, show what changed. Of a
profile the value that go tool pprof shows first is drawn. Each file may be compressed
with gzip or zstd. Several files of one kind become one picture.`,
		Example: `  dropwatch flamegraph -o drops.svg
  dropwatch flamegraph --by bytes --root netns,device -o drops.html
  dropwatch flamegraph node1.jsonl.zst node2.jsonl.zst -o fleet.svg
  perf script | stackcollapse-perf.pl | dropwatch flamegraph - -o cpu.svg`,
		DisableFlagsInUseLine: true,
		RunE: func(_ *cobra.Command, args []string) error {
			options, err := flags.stacks.options(flags.of)
			if err != nil {
				return err
			}
			format, err := pictureFormat(flags.format, flags.output)
			if err != nil {
				return err
			}
			if flags.output == "" && isTerminal(s.out) {
				return usageError{errPictureToTerminal}
			}
			p, readErr := readPicture(s, args, flags.of, options)
			if p == nil {
				return readErr
			}
			if err := flags.apply(p); err != nil {
				return errors.Join(readErr, err)
			}
			content, err := render(p, format)
			if readErr != nil && errors.Is(err, flamegraph.ErrEmpty) {
				return readErr
			}
			if err != nil {
				return errors.Join(readErr, fmt.Errorf("draw %s: %w", called(args), err))
			}
			return emitRead(s, flags.output, false, content, readErr)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&flags.output, "output", "o", "", "file to write instead of standard output, .svg or .html")
	f.StringVarP(&flags.format, "format", "f", "", "svg or html (default: by the file's name, else svg)")
	f.StringVar(&flags.title, "title", "", "title of the picture")
	f.StringVar(&flags.by, "by", "", "what widths stand for at first: packets, bytes or rate; delay, stalls or packets; a profile's value by its name")
	f.StringVar(&flags.colors, "colors", "", "colors by layer, class or name (default: layer for drops, name for other stacks)")
	f.BoolVar(&flags.icicle, "icicle", false, "root on top")
	f.Var(&flags.minShare, "min-share", "narrowest frame to draw, as a share of what is on view, such as 0.5%")
	flags.stacks.add(f)
	flags.of.add(f)
	return cmd
}

// apply sets what the flags say about a picture.
func (f *pictureFlags) apply(p *profile.Picture) error {
	if f.title != "" {
		p.Options.Title = f.title
	}
	p.Options.Icicle, p.Options.MinShare = f.icicle, float64(f.minShare)
	colors := f.colors
	if colors == "" {
		colors = "name"
		if p.Drops || profile.EndsInReasons(p.Samples) {
			colors = "layer"
		}
	}
	if err := profile.Color(&p.Options, colors); err != nil {
		return usageError{err}
	}
	if f.by == "" {
		return nil
	}
	var names []string
	for _, m := range p.Options.Measures {
		names = append(names, m.Name)
	}
	if p.Options.Measure = slices.Index(names, f.by); p.Options.Measure < 0 {
		return usageError{fmt.Errorf("no widths by %q in this file: choose from %s", f.by, strings.Join(names, ", "))}
	}
	return nil
}

// pictureFormat returns svg or html: what the flag says, or the file's name.
func pictureFormat(format, output string) (string, error) {
	switch {
	case format == "svg", format == "html":
		return format, nil
	case format != "":
		return "", usageError{fmt.Errorf("unknown format %q: choose svg or html", format)}
	}
	switch format := formatOf(output); format {
	case "svg", "html":
		return format, nil
	case "":
		return "svg", nil
	}
	return "", usageError{fmt.Errorf("no pictures in the format of %s: name it .svg or .html, or say which with --format", output)}
}

// render returns a picture as svg or html.
func render(p *profile.Picture, format string) ([]byte, error) {
	graph, err := flamegraph.New(slices.Values(p.Samples))
	if err != nil {
		return nil, err
	}
	write := graph.WriteSVG
	if format == "html" {
		write = graph.WriteHTML
	}
	var b bytes.Buffer
	err = write(&b, p.Options)
	if errors.Is(err, flamegraph.ErrEmpty) {
		return nil, nothingBy(graph, p.Options, err)
	}
	if err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// nothingBy tells by what there is something to draw if there is nothing by the measure
// chosen: a heap profile may have counted what was allocated, of which nothing is in use.
func nothingBy(graph *flamegraph.Graph, o flamegraph.Options, err error) error {
	var others []string
	for _, m := range o.Measures {
		if graph.Total(m.Column) > 0 {
			others = append(others, m.Name)
		}
	}
	if len(others) == 0 {
		return err
	}
	return fmt.Errorf("%w by %s: --by takes %s", err, o.Measures[o.Measure].Name, strings.Join(others, ", "))
}
