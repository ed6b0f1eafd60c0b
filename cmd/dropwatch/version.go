// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

// release is the version this source will become.
const release = "0.1.0"

// described is what git describe says of the source, set by the linker; see the Makefile.
var described string

// version returns the release, and the commit it was built from if that is known and has
// no tag.
func version() string {
	tag, isTag := strings.CutPrefix(described, "v")
	switch {
	case described == "":
		return release
	case isTag:
		return tag
	}
	return release + "-" + described
}

// The names of these fields are promised in docs/json.md.
type versionJSON struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersion(s streams) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  `Prints the version: the release, and the commit if it is none of a release.`,
		Example: `  dropwatch version
  dropwatch version -f json | jq -r .version`,
		Args: usage(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			switch format {
			case "text":
				return emit(s, "", false, fmt.Appendf(nil, "dropwatch version %s\n", version()))
			case "json":
				var b bytes.Buffer
				if err := json.NewEncoder(&b).Encode(versionJSON{version(), runtime.Version(), runtime.GOOS, runtime.GOARCH}); err != nil {
					return err
				}
				return emit(s, "", false, b.Bytes())
			}
			return usageError{fmt.Errorf("unknown format %q: choose text or json", format)}
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "text or json")
	return cmd
}
