// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// latencies measures how soon the first drop is in the recording, and how long a
// recording of a storm takes to become a picture.
func latencies(ctx context.Context, w io.Writer, net *lab.Net, o options) error {
	flood, err := net.NewFlood(lab.FloodOptions{CPU: o.cpu, Port: 20_010})
	if err != nil {
		return err
	}
	defer flood.Close()
	pacing, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { _, err := flood.Pace(pacing, lab.Sendto, 1000, time.Minute); done <- err }()
	first, err := firstDrop(o)
	stop()
	if err := errors.Join(err, <-done); err != nil {
		return err
	}
	fmt.Fprintf(w, "first drop readable in the recording after %s\n", first.Round(time.Millisecond))

	file, picture := filepath.Join(o.dir, "latency"), filepath.Join(o.dir, "latency.svg")
	end, err := startDropwatch(o, file)()
	if err != nil {
		return err
	}
	sent, err := flood.Run(ctx, lab.Sendto, 10*time.Second)
	if err != nil {
		return err
	}
	s, err := end()
	if err != nil {
		return err
	}
	start := time.Now()
	if out, err := exec.Command(o.dropwatch, "flamegraph", "-o", picture, file).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	took := time.Since(start)
	info, err := os.Stat(picture)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "%d drops: recording %s, to a picture of %s in %s\n",
		sent.Total(), size(s.fileSize), size(info.Size()), took.Round(time.Millisecond))
	return nil
}

// firstDrop returns how long after its start dropwatch has written a first drop.
func firstDrop(o options) (time.Duration, error) {
	cmd := exec.Command(o.dropwatch, "record", "-q", "-d", "2s", "-o", "-")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	src, err := recording.NewReader(out)
	if err != nil {
		return 0, errors.Join(err, cmd.Wait())
	}
	defer src.Close()
	var first time.Duration
	for {
		e, err := src.Next()
		if err != nil {
			break
		}
		if _, ok := e.(*event.Drop); ok && first == 0 {
			first = time.Since(start)
		}
	}
	if err := cmd.Wait(); err != nil {
		return 0, err
	}
	if first == 0 {
		return 0, errors.New("no drop in the recording")
	}
	return first, nil
}
