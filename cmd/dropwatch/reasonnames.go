// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// unknownReasonError is a name that no reason has.
type unknownReasonError struct {
	name    string
	similar []string
}

func (e *unknownReasonError) Error() string { return fmt.Sprintf("no drop reason %q", e.name) }

// hint names the reasons that may have been meant.
func (e *unknownReasonError) hint() string {
	const most = 8
	switch n := len(e.similar); {
	case n == 0:
		return "dropwatch reasons lists all of them"
	case n > most:
		return fmt.Sprintf("similar: %s and %d more", strings.Join(e.similar[:most], ", "), n-most)
	}
	return "similar: " + strings.Join(e.similar, ", ")
}

// completeReasons offers names for the shell to complete, in the case that was typed.
func completeReasons(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, info := range dropreason.All() {
		name := info.Name
		if typed != "" && typed == strings.ToLower(typed) {
			name = strings.ToLower(name)
		}
		if strings.HasPrefix(name, typed) {
			names = append(names, cobra.CompletionWithDesc(name, info.Meaning))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func layerNames() []string {
	var names []string
	for _, layer := range dropreason.Layers() {
		names = append(names, string(layer))
	}
	return names
}

// classNames returns the classes as flags spell them: peer-error.
func classNames() []string {
	var names []string
	for _, class := range dropreason.Classes() {
		names = append(names, hyphen(string(class)))
	}
	return names
}

func hyphen(name string) string { return strings.ReplaceAll(name, " ", "-") }
