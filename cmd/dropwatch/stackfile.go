// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	pprof "github.com/google/pprof/profile"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/stackfile"
)

// readPicture reads files of one kind, any of the three, as one picture.
func readPicture(s streams, args []string, of subject, o profile.StackOptions) (*profile.Picture, error) {
	files, err := openAll(s, args)
	if err != nil {
		return nil, err
	}
	defer files.Close()
	var stacks []*stackfile.File
	for _, f := range files {
		file, err := stackfile.Open(f)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.name, err)
		}
		stacks = append(stacks, file)
		if file.Kind != stacks[0].Kind {
			return nil, fmt.Errorf("read %s: %s, but %s is %s: draw one kind at a time", f.name, file.Kind, files[0].name, stacks[0].Kind)
		}
	}
	switch stacks[0].Kind {
	case stackfile.Recording:
		return drawRecordings(s, files, stacks, of, o)
	case stackfile.Profile:
		return drawProfiles(files, stacks)
	}
	return drawFolded(s, files, stacks)
}

func drawRecordings(s streams, files files, stacks []*stackfile.File, of subject, o profile.StackOptions) (*profile.Picture, error) {
	var recordings []profile.Recording
	for i, r := range stacks {
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

func drawFolded(s streams, files files, stacks []*stackfile.File) (*profile.Picture, error) {
	var all flamegraph.Folded
	for i, r := range stacks {
		folded, err := flamegraph.Parse(r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		case folded.MostlyLeft():
			return nil, fmt.Errorf("read %s: %w", files[i].name, notFolded(r, folded))
		}
		warnLeft(s, files[i].name, folded)
		if err := all.Add(folded); err != nil {
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		}
	}
	return profile.DrawFolded(&all), nil
}

// notFolded says why a file is not drawn of which the most had to be left out.
func notFolded(file *stackfile.File, f *flamegraph.Folded) error {
	if foreign := file.Likely(); foreign != nil {
		return foreign
	}
	return fmt.Errorf("%s of %s cannot be read as folded stacks, frames with a semicolon between them and a count, "+
		"which the stackcollapse scripts make of what profilers print: %v",
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

func drawProfiles(files files, stacks []*stackfile.File) (*profile.Picture, error) {
	var profiles []*pprof.Profile
	for i, f := range stacks {
		p, err := f.PProf()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", files[i].name, err)
		}
		profiles = append(profiles, p)
	}
	p, err := profile.DrawPProf(profiles, stackfile.IsBase)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", files.names(), err)
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

// names returns what the files are called.
func (f files) names() string {
	names := make([]string, len(f))
	for i, file := range f {
		names[i] = file.name
	}
	return strings.Join(names, ", ")
}

// openAll opens the files a command was given, or the default recording.
func openAll(s streams, args []string) (files, error) {
	if err := checkNames(args); err != nil {
		return nil, err
	}
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

// checkNames returns an error if a file has no name, as where a variable of a script is not
// set, or if standard input is named twice, which can be read once.
func checkNames(args []string) error {
	if slices.Contains(args, "") {
		return usageError{errors.New("the name of a file is empty")}
	}
	named := 0
	for _, arg := range args {
		if isStdin(arg) {
			named++
		}
	}
	if named > 1 {
		return usageError{errors.New("standard input is named twice, and can be read once: save it to a file first")}
	}
	return nil
}

func isStdin(name string) bool {
	return slices.Contains([]string{"-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"}, name)
}

// Close closes all of them.
func (f files) Close() error {
	var errs []error
	for _, file := range f {
		errs = append(errs, file.Close())
	}
	return errors.Join(errs...)
}
