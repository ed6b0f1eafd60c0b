// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/node"
	"github.com/dropwatch/dropwatch/pkg/report"
)

type reasonFlags struct {
	layers, classes []string
	format, out     string
}

func newReasons(s streams) *cobra.Command {
	var flags reasonFlags
	cmd := &cobra.Command{
		Use:   "reasons [flags] [NAME]...",
		Short: "Explain drop reasons: what happened, what to check, what to change",
		Long: `Lists the drop reasons of all kernels known, by layer. With NAME, such as CPU_BACKLOG,
it explains a reason: what it means, its number in this kernel, which counters move
with it, what to check and what to change, and what the settings that it depends on
are set to in this network namespace.

Upper and lower case are the same, and SKB_DROP_REASON_ may come before NAME. Reasons
of this kernel that are too new for the catalogue are listed at the end.`,
		Example: `  dropwatch reasons CPU_BACKLOG
  dropwatch reasons --class loss --layer device,qdisc
  dropwatch reasons -f json | jq -r '.reasons[] | select(.class == "loss").name'`,
		DisableFlagsInUseLine: true,
		ValidArgsFunction:     completeReasons,
		RunE: func(_ *cobra.Command, args []string) error {
			return showReasons(s, flags, args)
		},
	}
	cmd.Flags().StringSliceVar(&flags.layers, "layer", nil, "list these layers alone: "+strings.Join(layerNames(), ", "))
	cmd.Flags().StringSliceVar(&flags.classes, "class", nil, "list these classes alone: "+strings.Join(classNames(), ", "))
	cmd.Flags().StringVarP(&flags.format, "format", "f", "text", "text or json")
	cmd.Flags().StringVarP(&flags.out, "output", "o", "", "file to write instead of standard output")
	for flag, values := range map[string][]string{"layer": layerNames(), "class": classNames()} {
		// It fails for a flag that does not exist alone.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
	return cmd
}

// showReasons prints the named reasons, or a list of all that the flags let through.
func showReasons(s streams, flags reasonFlags, names []string) error {
	if flags.format != "text" && flags.format != "json" {
		return usageError{fmt.Errorf("unknown format %q: choose text or json", flags.format)}
	}
	root := node.Root{FS: os.DirFS("/")}
	kernel, err := kernelReasons(root.FS)
	if err != nil {
		fmt.Fprintf(s.err, "warning: this kernel's numbers are not known: %v\n", err)
	}
	reasons := report.NewReasons(kernelRelease(root), kernel)
	if reasons, err = pickReasons(reasons, flags, names); err != nil {
		return err
	}
	reasons.ReadSettings(root)
	var b bytes.Buffer
	color := flags.out == "" && s.color.on(s.out)
	switch {
	case flags.format == "json":
		err = report.WriteReasonsJSON(&b, reasons)
	case len(names) > 0:
		err = report.WriteReasonText(&b, reasons, columns(s.out), color)
	default:
		err = report.WriteReasonsText(&b, reasons, columns(s.out), color)
	}
	return errors.Join(err, emit(s, flags.out, false, b.Bytes()))
}

// kernelRelease returns the running kernel's, as uname -r prints it.
func kernelRelease(root node.Root) string {
	for _, s := range root.Settings("kernel.osrelease") {
		return s.Value
	}
	return "of unknown release"
}

// pickReasons returns what was asked for, by name or by flags.
func pickReasons(all *report.Reasons, flags reasonFlags, names []string) (*report.Reasons, error) {
	if len(names) > 0 {
		if flags.layers != nil || flags.classes != nil {
			return nil, usageError{errors.New("--layer and --class choose from the list; they say nothing about a NAME")}
		}
		return findReasons(all, names)
	}
	layers, err := choices("layer", flags.layers, layerNames())
	if err != nil {
		return nil, err
	}
	classes, err := choices("class", flags.classes, classNames())
	if err != nil {
		return nil, err
	}
	return all.Keep(func(r report.Reason) bool {
		return (layers == nil || slices.Contains(layers, string(r.Layer))) &&
			(classes == nil || slices.Contains(classes, hyphen(string(r.Class))))
	}), nil
}

func findReasons(all *report.Reasons, names []string) (*report.Reasons, error) {
	found := &report.Reasons{Kernel: all.Kernel}
	for _, name := range names {
		r, ok := all.Find(dropreason.Spell(name))
		if !ok {
			return nil, usageError{&unknownReasonError{name, dropreason.Similar(name, all.Names())}}
		}
		found.List = append(found.List, r)
	}
	return found, nil
}

// choices returns the values of a flag as they are spelled, or says which there are.
func choices(flag string, values, known []string) ([]string, error) {
	var chosen []string
	for _, value := range values {
		name := hyphen(strings.ToLower(strings.TrimSpace(value)))
		if !slices.Contains(known, name) {
			return nil, usageError{fmt.Errorf("no %s %q: choose from %s", flag, value, strings.Join(known, ", "))}
		}
		chosen = append(chosen, name)
	}
	return chosen, nil
}
