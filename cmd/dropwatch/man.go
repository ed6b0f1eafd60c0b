// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan(streams) *cobra.Command {
	return &cobra.Command{
		Use:     "man DIR",
		Short:   "Write the manual pages into a directory",
		Example: `  sudo dropwatch man /usr/local/share/man/man1`,
		Args:    usage(cobra.ExactArgs(1)),
		RunE:    func(cmd *cobra.Command, args []string) error { return writeManual(cmd.Root(), args[0]) },
	}
}

// writeManual writes the page of a command and of those below it.
func writeManual(cmd *cobra.Command, dir string) error {
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() || c.IsAdditionalHelpTopicCommand() {
			continue
		}
		if err := writeManual(c, dir); err != nil {
			return err
		}
	}
	var page bytes.Buffer
	if err := doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Source: "dropwatch " + release}, &page); err != nil {
		return err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	return writePublic(filepath.Join(dir, name), page.Bytes())
}

// writePublic writes a file that everybody may read, in place of the one before.
func writePublic(name string, content []byte) (err error) {
	dir, base, err := openParent(name)
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	file, err := createIn(dir, base, name, making{mode: 0o666, keep: func(*os.File, string) bool { return false }})
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.place()
}
