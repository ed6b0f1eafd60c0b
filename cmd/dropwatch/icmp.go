// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
	"github.com/dropwatch/dropwatch/pkg/report"
	"github.com/dropwatch/dropwatch/pkg/rtt"
	"github.com/dropwatch/dropwatch/pkg/softirq"
	"github.com/dropwatch/dropwatch/pkg/spell"
)

type icmpFlags struct {
	threshold, duration time.Duration
	format, rtt, btf    string
}

func newICMP(s streams) *cobra.Command {
	var flags icmpFlags
	cmd := &cobra.Command{
		Use:   "icmp [flags] [FILE]",
		Short: "Show in whose context ICMP echo requests are handled, and how late",
		Long: `Shows each ICMP echo request that this machine is about to answer: when, on which CPU,
the task that was interrupted for it, and how long it had waited in a queue since it
came. Beside one that was late stands the stall that held it up: pings that were sent
one after the other and all answered at one instant were waiting behind its culprit.

The kernel's icmp_echo is traced by the first of these rungs that the kernel takes, which
is named at the start: fentry, kprobe.multi, kprobe, or as a stand-in the tracepoint
net:netif_receive_skb. That one sees requests some microseconds earlier, without IP
options only, and also those that are forwarded or that a firewall drops later.

With --rtt each is joined by identifier and sequence number with the round-trip time
in a log of ping -D or hping3 that runs elsewhere (or here); - is standard input, and
its end ends the command. At the end come the instants at which replies arrived together,
with round-trip times that fall by the interval of sending: there a queue was drained.
With FILE the requests are those of a recording.`,
		Example: `  sudo dropwatch icmp
  ping -D -i 0.01 node7 | ssh node7 sudo dropwatch icmp --rtt -
  sudo dropwatch icmp -f json -d 1m > echoes.jsonl`,
		DisableFlagsInUseLine: true,
		Args:                  usage(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if flags.format != "text" && flags.format != "json" {
				return usageError{fmt.Errorf("unknown format %q: choose text or json", flags.format)}
			}
			if len(args) > 0 {
				if err := onlyLive(cmd, "duration", "btf"); err != nil {
					return err
				}
			}
			ctx, cancel := context.WithCancel(cmd.Context())
			defer cancel()
			log, err := openLog(ctx, s, flags.rtt, args)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return watchICMP(ctx, s, log, flags)
			}
			if !cmd.Flags().Changed("threshold") {
				flags.threshold = 0 // that of the recording
			}
			return withRecording(s, args, func(src event.Source) error {
				return showEchoes(s, src, log, nil, flags)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.rtt, "rtt", "", "log of ping -D or hping3 to join with")
	thresholdVar(f, &flags.threshold, "threshold", "requests that wait this long are late")
	durationVar(f, &flags.duration, "how long to watch; 0: until interrupted")
	f.StringVarP(&flags.format, "format", "f", "text", "text or json (one object a line)")
	f.StringVar(&flags.btf, "btf", "", btfUsage)
	return cmd
}

// openLog opens the log to join with and reads it in the background. The channel is
// closed at its end, and nil without a log.
func openLog(ctx context.Context, s streams, name string, args []string) (<-chan rtt.Reply, error) {
	switch {
	case name == "":
		return nil, nil
	case isStdin(name) && len(args) > 0 && isStdin(args[0]):
		return nil, usageError{errors.New("standard input cannot be both the log and the recording")}
	case name == "-":
		return replies(ctx, s, io.NopCloser(s.in)), nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return replies(ctx, s, file), nil
}

// maxLogWarnings is how many lines of a log that cannot be read are named.
const maxLogWarnings = 10

// replies yields the lines of a log until its end or that of the context, and closes it.
func replies(ctx context.Context, s streams, log io.ReadCloser) <-chan rtt.Reply {
	all := make(chan rtt.Reply, 64)
	go func() {
		defer close(all)
		defer log.Close()
		left := 0
		defer func() {
			if more := left - maxLogWarnings; more > 0 {
				fmt.Fprintf(s.err, "warning: round-trip times: %s left out as well\n", spell.Plural(uint64(more), "more line"))
			}
		}()
		for reply, err := range rtt.Parse(log) {
			if err != nil {
				if left++; left <= maxLogWarnings {
					fmt.Fprintf(s.err, "warning: round-trip times: %.200s; left out\n", printable(err.Error()))
				}
				continue
			}
			select {
			case all <- reply:
			case <-ctx.Done():
				return
			}
		}
	}()
	return all
}

// showEchoes prints the echo requests of a source. Once the log has ended it calls
// logEnded, if that is not nil, and goes on to the end of the source.
func showEchoes(s streams, src event.Source, log <-chan rtt.Reply, logEnded func(), flags icmpFlags) error {
	meta := src.Meta()
	config := softirq.ConfigOf(meta)
	flags.threshold = cmp.Or(flags.threshold, config.Threshold, defaultThreshold)
	config.Threshold = flags.threshold
	table := &echoes{threshold: flags.threshold, withRTT: log != nil, show: echoPrinter(s, meta, log != nil, flags)}
	copies, stop := copyEvents(src)
	defer func() { stop(logEnded == nil) }() // the source of a kernel ends when it is closed
	if err := table.follow(softirq.New(config), copies.events, log, logEnded); err != nil {
		return err
	}
	unmatched, err := table.end()
	if unmatched > 0 {
		fmt.Fprintf(s.err, "%s in the log to requests that were not seen here\n", spell.Plural(uint64(unmatched), "reply"))
	}
	if err == nil {
		err = showDrains(s, table.drains(), flags.format)
	}
	readErr := <-copies.failed
	if cut, ok := event.AsCut(readErr); ok {
		warnCut(s, cut)
		readErr = nil
	}
	return errors.Join(err, readErr)
}

// eventCopies are those of a source that icmp is about.
type eventCopies struct {
	events chan event.Event // closed at the end of the source
	failed chan error       // then one error, or nil
}

// copyEvents reads a source in the background, until its end or until stop is called. stop
// waits for the reader if asked to.
func copyEvents(src event.Source) (copies eventCopies, stop func(wait bool)) {
	copies = eventCopies{make(chan event.Event), make(chan error, 1)}
	left, finished := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(finished)
		defer close(copies.events)
		copies.failed <- profile.Each(src, func(e event.Event) error {
			copied := keep(e)
			if copied == nil {
				return nil
			}
			select {
			case copies.events <- copied:
				return nil
			case <-left:
				return errLeft
			}
		})
	}()
	return copies, func(wait bool) {
		close(left)
		if wait {
			<-finished
		}
	}
}

// showDrains prints the instants at which replies came together.
func showDrains(s streams, drains []rtt.Drain, format string) error {
	enc := newEchoEncoder(s.out)
	for i := range drains {
		d := &drains[i]
		if format == "json" {
			if err := report.EncodeDrain(enc, d); err != nil {
				return err
			}
			continue
		}
		if _, err := s.out.Write(report.AppendDrain(nil, d)); err != nil {
			return err
		}
	}
	return nil
}

// errLeft ends reading a source for nobody.
var errLeft = errors.New("nobody reads events any more")

// keep returns a copy of an event that is of interest here, nil for others. A copy
// is needed as events are valid until the next one only.
func keep(e event.Event) event.Event {
	switch e := e.(type) {
	case *event.Echo:
		c := *e
		return &c
	case *event.Window:
		c := *e
		return &c
	case *event.CPUSample:
		c := *e
		return &c
	case *event.LatePacket:
		c := *e
		return &c
	}
	return nil
}

// echoPrinter returns what writes echo requests in the format asked for, a heading
// first.
func echoPrinter(s streams, meta *event.Meta, withRTT bool, flags icmpFlags) func(*report.Echo) error {
	if flags.format == "json" {
		enc := newEchoEncoder(s.out)
		return func(e *report.Echo) error { return report.EncodeEcho(enc, meta, e) }
	}
	line := report.AppendEchoHeading(nil, withRTT)
	return func(e *report.Echo) error {
		line = report.AppendEcho(line, meta, e, withRTT)
		_, err := s.out.Write(line)
		line = line[:0]
		return err
	}
}

func newEchoEncoder(w io.Writer) *json.Encoder {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc
}
