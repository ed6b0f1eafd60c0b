// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
)

// colourMode is the value of --color; the zero value is auto.
type colourMode string

func (m *colourMode) String() string { return string(*m) }

// Type names the kind of value in help texts.
func (m *colourMode) Type() string { return "auto|always|never" }

// Set takes a value from the command line.
func (m *colourMode) Set(value string) error {
	switch value {
	case "auto", "always", "never":
		*m = colourMode(value)
		return nil
	}
	return fmt.Errorf("choose auto, always or never")
}

// on tells whether what is written to w is to be in colour. See no-color.org.
func (m *colourMode) on(w io.Writer) bool {
	switch *m {
	case "always":
		return true
	case "never":
		return false
	}
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}
