// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

// fileKind is what a file of stacks is, told by its first bytes.
type fileKind string

const (
	kindRecording fileKind = "a recording"
	kindProfile   fileKind = "a pprof profile"
	kindFolded    fileKind = "folded stacks"
)

func kindOf(r *bufio.Reader) fileKind {
	start, _ := r.Peek(16) // a shorter file is told by what there is
	switch {
	case bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}), bytes.HasPrefix(start, []byte(`{"type":"header"`)):
		return kindRecording
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return kindProfile
	}
	return kindFolded
}

// readPicture reads files of one kind, any of the three, as one picture.
func readPicture(s streams, args []string, of subject, o profile.StackOptions) (*profile.Picture, error) {
	files, err := openAll(s, args)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	var readers []*bufio.Reader
	for _, f := range files {
		r := bufio.NewReader(f)
		readers = append(readers, r)
		if first, kind := kindOf(readers[0]), kindOf(r); kind != first {
			return nil, fmt.Errorf("read %s: %s, but %s is %s: draw one kind at a time", f.name, kind, files[0].name, first)
		}
	}
	switch kindOf(readers[0]) {
	case kindRecording:
		return drawRecordings(s, files, readers, of, o)
	case kindProfile:
		return drawProfiles(s, files, readers)
	}
	return drawFolded(s, files, readers)
}

func drawRecordings(s streams, files files, readers []*bufio.Reader, of subject, o profile.StackOptions) (*profile.Picture, error) {
	var recordings []profile.Recording
	for i, r := range readers {
		src, err := recording.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		}
		defer src.Close()
		recordings = append(recordings, profile.Recording{Name: files[i].name, Source: src})
	}
	draw := profile.Draw
	if of == ofStalls {
		draw = profile.DrawStalls
	}
	p, err := draw(recordings, o)
	for _, cut := range p.Cut {
		warnCut(s, cut)
	}
	return p, err
}

func drawFolded(s streams, files files, readers []*bufio.Reader) (*profile.Picture, error) {
	var all flamegraph.Folded
	for i, r := range readers {
		folded, err := flamegraph.Parse(r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		case folded.MostlyLeft():
			return nil, fmt.Errorf("read %s: %w", files[i].name, notFolded(folded))
		}
		warnLeft(s, files[i].name, folded)
		if err := all.Add(folded); err != nil {
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		}
	}
	return profile.DrawFolded(&all), nil
}

// notFolded says why a file is not drawn of which the most had to be left out.
func notFolded(f *flamegraph.Folded) error {
	return fmt.Errorf("%s of %s cannot be read as folded stacks, frames with a semicolon between them and a count: %v",
		spell.Thousands(uint64(f.Left)), spell.Plural(uint64(f.Left+len(f.Samples)), "line"), f.Problems[0])
}

// warnLeft tells which lines are not in a picture.
func warnLeft(s streams, name string, f *flamegraph.Folded) {
	for _, problem := range f.Problems {
		fmt.Fprintf(s.err, "warning: %s: %v; left out\n", name, problem)
	}
	if more := f.Left - len(f.Problems); more > 0 {
		fmt.Fprintf(s.err, "warning: %s: %s left out as well\n", name, spell.Plural(uint64(more), "more line"))
	}
}

func drawProfiles(s streams, files files, readers []*bufio.Reader) (*profile.Picture, error) {
	var profiles []*pprof.Profile
	for i, r := range readers {
		p, err := pprof.Parse(r)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		}
		profiles = append(profiles, p)
	}
	merged, err := pprof.Merge(profiles)
	if err != nil {
		return nil, err
	}
	p, left := profile.DrawPProf(merged)
	if left > 0 {
		fmt.Fprintf(s.err, "warning: %s negative; left out\n", spell.Plural(uint64(left), "sample"))
	}
	return p, nil
}

// called returns what files are called in an error.
func called(args []string) string {
	switch {
	case len(args) == 0:
		return recording.DefaultName
	case len(args) == 1 && args[0] == "-":
		return "standard input"
	}
	return strings.Join(args, ", ")
}

// files are open files and what their user calls them.
type files []namedFile

type namedFile struct {
	io.ReadCloser
	name string
}

// openAll opens the files a command was given, or the default recording.
func openAll(s streams, args []string) (files, error) {
	if len(args) == 0 {
		args = []string{""}
	}
	var all files
	for _, arg := range args {
		file, name, err := open(s, arg)
		if err != nil {
			return nil, errors.Join(err, all.Close())
		}
		all = append(all, namedFile{file, name})
	}
	return all, nil
}

// Close closes all of them.
func (f files) Close() error {
	var errs []error
	for _, file := range f {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
