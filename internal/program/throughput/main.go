// SPDX-License-Identifier: Apache-2.0

//go:build linux && lab

// Command throughput measures what watching for stalls costs: iperf3 sends TCP over
// veth between two namespaces, once without dropwatch and once beside dropwatch
// stalls, round after round. Then it measures dropwatch stalls on a machine that does
// nothing.
//
// It needs root and iperf3; make bench installs it.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab"
)

type options struct {
	rounds    int
	duration  time.Duration
	dropwatch string
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 9, "how often to measure each way")
	flag.DurationVar(&o.duration, "duration", 3*time.Second, "how long to send each time")
	flag.StringVar(&o.dropwatch, "dropwatch", "./dropwatch", "the dropwatch to measure")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(o options) (err error) {
	net, err := lab.NewNet()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, net.Close()) }()
	var plain, shares []float64
	for round := range o.rounds {
		without, err := send(net, o.duration)
		if err != nil {
			return err
		}
		watch, err := watchStalls(o)
		if err != nil {
			return err
		}
		with, sendErr := send(net, o.duration)
		if err := errors.Join(sendErr, watch.end()); err != nil {
			return err
		}
		plain, shares = append(plain, without), append(shares, with/without)
		fmt.Fprintf(os.Stderr, "\rround %d of %d", round+1, o.rounds)
	}
	slices.Sort(plain)
	slices.Sort(shares)
	fmt.Fprint(os.Stderr, "\r\x1b[K")
	fmt.Printf("iperf3 over veth: %.1f Gb/s; beside dropwatch stalls it keeps %.3f (%.3f–%.3f, %d rounds)\n",
		plain[len(plain)/2]/1e9, shares[len(shares)/2], shares[0], shares[len(shares)-1], o.rounds)
	if err := costs(net, o); err != nil {
		return err
	}
	return idle(o)
}

// send returns how many bits per second iperf3 receives.
func send(net *lab.Net, d time.Duration) (float64, error) {
	var server *exec.Cmd
	err := net.Rx.Do(func() error {
		server = exec.Command("iperf3", "-s", "-1", "-B", net.Rx.Addr4.String())
		return server.Start()
	})
	if err != nil {
		return 0, err
	}
	defer func() {
		late := time.AfterFunc(2*time.Second, func() { _ = server.Process.Kill() }) // it may wait for another client
		defer late.Stop()
		_ = server.Wait()
	}()
	var out []byte
	for attempt := range 50 { // the server takes a moment to listen
		err = net.Tx.Do(func() error {
			var err error
			out, err = exec.Command("timeout", "60", "iperf3", "-c", net.Rx.Addr4.String(), "-J", "-t", fmt.Sprint(d.Seconds())).Output()
			return err
		})
		// With -J it ends with 0 though it could not connect.
		if !bytes.Contains(out, []byte("Connection refused")) || attempt == 49 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return 0, fmt.Errorf("iperf3: %w: %s", err, out)
	}
	var result struct {
		End struct {
			Received struct {
				Rate float64 `json:"bits_per_second"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal(out, &result); err != nil {
		return 0, fmt.Errorf("read iperf3's report: %w", err)
	}
	if result.End.Received.Rate == 0 {
		return 0, fmt.Errorf("iperf3 received nothing: %s", out)
	}
	return result.End.Received.Rate, nil
}
