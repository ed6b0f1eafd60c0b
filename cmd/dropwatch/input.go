// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

var errNoDefault = errors.New("no recording here")

// open opens a file that a command was given, the default one for no name, and
// standard input for "-".
func open(s streams, name string) (io.ReadCloser, string, error) {
	isDefault := name == ""
	if isDefault {
		name = recording.DefaultName
	}
	if name == "-" {
		return io.NopCloser(s.in), "standard input", nil
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) && isDefault {
		return nil, "", fmt.Errorf("%w: %w", errNoDefault, err)
	}
	return file, name, err
}

// withRecording has do read the recording a command was given.
func withRecording(s streams, args []string, do func(event.Source) error) error {
	arg := ""
	if len(args) > 0 {
		arg = args[0]
	}
	file, name, err := open(s, arg)
	if err != nil {
		return err
	}
	defer file.Close()
	src, err := recording.NewReader(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	defer src.Close()
	if err := do(src); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
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
	cmd.Long += "\n\nFILE is a recording, " + recording.DefaultName + " by default; - is standard input."
	return cmd
}
