// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

var errNoDefault = errors.New("no recording here")

// open opens a file that a command was given, and standard input for "-". For no name it
// is standard input where something is piped or redirected there, else the default file.
func open(s streams, name string) (io.ReadCloser, string, error) {
	// Half as much garbage as usual beside what is added up of a file, and less where that
	// is much.
	debug.SetGCPercent(50)
	debug.SetMemoryLimit(192 << 20)
	isDefault := name == ""
	if isDefault {
		if in := piped(s.in); in != nil {
			return io.NopCloser(in), "standard input", nil
		}
		name = recording.DefaultName
	}
	if name == "-" {
		return io.NopCloser(s.in), "standard input", nil
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && isDefault {
		return nil, "", fmt.Errorf("%w: %w", errNoDefault, err)
	}
	if err != nil {
		return nil, "", err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		_ = file.Close()
		return nil, "", &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
	}
	return file, name, nil
}

// piped returns standard input if it is a pipe or a file that has something to read. Where
// nobody means it to be read it is a terminal, a device or a socket (cron, ssh), or empty.
func piped(in io.Reader) io.Reader {
	file, ok := in.(*os.File)
	if !ok {
		return nil
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
		return nil
	}
	buffered := bufio.NewReader(file)
	if _, err := buffered.Peek(1); err != nil {
		return nil
	}
	return buffered
}

// namedSource is a recording whose errors name its file: those of what is made of it do
// not.
type namedSource struct {
	event.Source
	name  string
	first event.Event // read already
}

// begin returns an error if a recording is damaged before its first event: nothing can be
// made of it.
func (s *namedSource) begin() error {
	e, err := s.Source.Next()
	if _, ok := event.AsCut(err); ok || errors.Is(err, io.EOF) {
		return nil // which comes again
	}
	s.first = e
	return reading(s.name, err)
}

// Next implements event.Source.
func (s *namedSource) Next() (event.Event, error) {
	if e := s.first; e != nil {
		s.first = nil
		return e, nil
	}
	e, err := s.Source.Next()
	if errors.Is(err, io.EOF) {
		return nil, err
	}
	return e, reading(s.name, err)
}

// reading says what was read when an error came, nil for none.
func reading(name string, err error) error {
	if err == nil || errors.As(err, new(*fs.PathError)) { // which says it
		return err
	}
	return fmt.Errorf("read %s: %w", name, err)
}

// withRecording has do read the recording a command was given.
func withRecording(s streams, args []string, do func(event.Source) error) error {
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	if err := checkNames(args); err != nil {
		return err
	}
	file, name, err := open(s, arg)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := recording.NewReader(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer reader.Close()
	src := &namedSource{Source: reader, name: name}
	if err := src.begin(); err != nil {
		return err
	}
	return do(src)
}

// warnCut tells that what is shown is all of a recording that was cut short.
func warnCut(s streams, cut *event.CutError) {
	if cut != nil {
		fmt.Fprintf(s.err, "warning: %v; this is what it holds\n", cut)
	}
}

// recordingArg says which argument a command that reads a recording takes.
func recordingArg(cmd *cobra.Command) *cobra.Command {
	cmd.Use += " [flags] [FILE]"
	cmd.DisableFlagsInUseLine = true
	cmd.Args = usage(cobra.MaximumNArgs(1))
	cmd.Long += "\n\nFILE is a recording; - is standard input. By default it is what is piped or redirected\nto standard input, else " + recording.DefaultName + "."
	return cmd
}
