// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/spf13/cobra"
)

func newFlamegraph(s streams) *cobra.Command {
	return &cobra.Command{Use: "flamegraph"}
}
