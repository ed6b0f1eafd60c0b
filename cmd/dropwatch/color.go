// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
)

// colorMode is the value of --color; the zero value is auto.
type colorMode string

func (m *colorMode) String() string { return string(*m) }

// Type names the kind of value in help texts.
func (m *colorMode) Type() string { return "auto|always|never" }

// Set takes a value from the command line.
func (m *colorMode) Set(value string) error {
	switch value {
	case "auto", "always", "never":
		*m = colorMode(value)
		return nil
	}
	return fmt.Errorf("choose auto, always or never")
}

// on tells whether what is written to w is to be in color. See no-color.org.
func (m *colorMode) on(w io.Writer) bool {
	switch *m {
	case "always":
		return true
	case "never":
		return false
	}
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
