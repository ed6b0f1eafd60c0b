// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	pprof "github.com/google/pprof/profile"
	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

type pictureOptions struct {
	output, title string
	icicle        bool
}

func newFlamegraph(s streams) *cobra.Command {
	var options pictureOptions
	cmd := &cobra.Command{
		Use:   "flamegraph",
		Short: "Draw stacks as an interactive picture",
		Long: `Draws the stacks of a recording, of folded lines or of a pprof profile as one SVG
file that any browser opens: click a frame to zoom, search with Ctrl-F, reset with
Escape. The root is the context, the leaf the reason, the colour the network layer.`,
		Example: `  dropwatch flamegraph -o drops.svg
  dropwatch flamegraph --icicle node7.jsonl.zst -o node7.svg
  perf script | stackcollapse-perf.pl | dropwatch flamegraph - -o cpu.svg`,
		RunE: func(_ *cobra.Command, args []string) error {
			file, name, err := open(s, args)
			if err != nil {
				return err
			}
			defer file.Close()
			if err := draw(s, file, options); err != nil {
				return fmt.Errorf("draw %s: %w", name, err)
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&options.output, "output", "o", "", "file to write instead of standard output")
	cmd.Flags().StringVar(&options.title, "title", "", "title of the picture")
	cmd.Flags().BoolVar(&options.icicle, "icicle", false, "root on top")
	cmd = recordingArg(cmd)
	cmd.Long += " Folded stacks and pprof files are told by their content."
	return cmd
}

// draw writes the picture of what r holds, and no file if there is nothing to draw.
func draw(s streams, r io.Reader, options pictureOptions) error {
	graph, style, readErr := readPicture(s, bufio.NewReader(r))
	if graph == nil {
		return readErr
	}
	if options.title != "" {
		style.Title = options.title
	}
	style.Icicle = options.icicle
	var b bytes.Buffer
	if err := graph.WriteSVG(&b, style); err != nil {
		return errors.Join(readErr, err)
	}
	return errors.Join(readErr, emit(s, options.output, false, b.Bytes()))
}

// readPicture tells a recording, a pprof profile and folded stacks apart.
func readPicture(s streams, r *bufio.Reader) (*flamegraph.Graph, flamegraph.Options, error) {
	start, _ := r.Peek(16) // a shorter file is told by what there is
	switch {
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}), bytes.HasPrefix(start, []byte(`{"type":"header"`)):
		src, err := recording.NewReader(r)
		if err != nil {
			return nil, flamegraph.Options{}, err
		}
		defer src.Close()
		return picture(s, src)
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		p, err := pprof.Parse(r)
		if err != nil {
			return nil, flamegraph.Options{}, fmt.Errorf("read pprof profile: %w", err)
		}
		return profilePicture(p)
	}
	samples, problems, err := flamegraph.Parse(r)
	if err != nil {
		return nil, flamegraph.Options{}, fmt.Errorf("read folded stacks: %w", err)
	}
	for _, problem := range problems {
		fmt.Fprintf(s.err, "warning: %v; left out\n", problem)
	}
	graph, err := flamegraph.New(slices.Values(samples))
	return graph, profile.LayerColours(), err
}

func picture(s streams, src event.Source) (*flamegraph.Graph, flamegraph.Options, error) {
	graph, style, cut, err := profile.Picture(src)
	warnCut(s, cut)
	return graph, style, err
}

// profilePicture draws a profile by its default value.
func profilePicture(p *pprof.Profile) (*flamegraph.Graph, flamegraph.Options, error) {
	style := profile.LayerColours()
	value, err := p.SampleIndexByName("")
	if err != nil {
		return nil, style, err
	}
	style.Unit = p.SampleType[value].Type
	graph, err := flamegraph.New(func(yield func(flamegraph.Sample) bool) {
		for _, s := range p.Sample {
			if v := s.Value[value]; v > 0 && !yield(flamegraph.Sample{Stack: profileStack(s), Value: uint64(v)}) {
				return
			}
		}
	})
	return graph, style, err
}

// profileStack returns the functions of a sample, the outermost first.
func profileStack(s *pprof.Sample) (stack []string) {
	for _, l := range slices.Backward(s.Location) {
		for _, line := range slices.Backward(l.Line) {
			stack = append(stack, line.Function.Name)
		}
		if len(l.Line) == 0 {
			stack = append(stack, fmt.Sprintf("0x%x", l.Address))
		}
	}
	return stack
}
