// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

func newPProf(s streams) *cobra.Command {
	var out string
	var options profile.PProfOptions
	var of subject
	cmd := &cobra.Command{
		Use:   "pprof",
		Short: "Write a profile for go tool pprof",
		Long: `Writes stacks as a gzipped profile.proto: drops and bytes by stack, with reason,
layer, class, device, netns, proto, comm, pid and cpu as tags. Addresses are the
kernel's true ones unless told otherwise.

Stalls (--of stalls) have their number and delay, with verdict, comm, syscall, pid and
cpu as tags.`,
		Example: `  dropwatch pprof -o drops.pb.gz
  go tool pprof -top drops.pb.gz
  go tool pprof -top -diff_base before.pb.gz drops.pb.gz
  go tool pprof -http=: -tagfocus reason=NETFILTER_DROP drops.pb.gz`,
		RunE: func(_ *cobra.Command, args []string) error {
			return withRecording(s, args, func(src event.Source) error {
				read := profile.PProf
				if of == ofStalls {
					read = profile.PProfStalls
				}
				p, cut, readErr := read(src, options)
				if p == nil || readErr != nil && len(p.Sample) == 0 {
					return readErr
				}
				var b bytes.Buffer
				if err := p.Write(&b); err != nil {
					return err
				}
				warnCut(s, cut)
				return emitRead(s, out, true, b.Bytes(), readErr)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "file to write instead of standard output")
	cmd.Flags().BoolVar(&options.NoReason, "no-reason-frame", false, "leave out the reason as innermost frame; it stays a tag")
	cmd.Flags().BoolVar(&options.RelativeAddresses, "relative-addresses", false, "count addresses from the start of the kernel, and from the lowest one seen in a module: they do not tell where the kernel lies in memory")
	of.add(cmd.Flags())
	return recordingArg(cmd)
}
