// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

// settled is how long a command takes at most until it watches.
const settled = 1500 * time.Millisecond

func openBench(t *testing.T) *inject.Bench {
	t.Helper()
	labtest.NeedRoot(t)
	bench, err := inject.Open(inject.BHOff)
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := bench.Close(); err != nil {
			t.Error(err)
		}
	})
	return bench
}

// objects decodes lines of JSON.
func objects[T any](t *testing.T, lines []byte) (all []T) {
	t.Helper()
	for line := range bytes.Lines(lines) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		all = append(all, v)
	}
	return all
}

// TestStallsLive has a process hold a CPU and reads who it was.
func TestStallsLive(t *testing.T) {
	bench := openBench(t)
	cmd, stderr := dropwatch(t, "stalls", "-f", "json")
	var out bytes.Buffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(settled)
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	truth, err := bench.Inject(100 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bench.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cmd.Process.Signal(unix.SIGINT), cmd.Wait()); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	type stall struct {
		CPU      int
		Duration time.Duration `json:"duration_ns"`
		Verdict  string
		Culprit  *struct {
			PID           int
			Comm, Syscall string
		}
		Stack []string
	}
	found := false
	for _, s := range objects[stall](t, out.Bytes()) {
		if s.Culprit == nil || s.Culprit.PID != truth.PID {
			continue
		}
		found = true
		if s.CPU != truth.CPU || s.Verdict != "BH_OFF" || s.Culprit.Comm != truth.Comm || s.Culprit.Syscall != "sendto" || len(s.Stack) == 0 {
			t.Errorf("told %+v %+v, want %+v", s, *s.Culprit, truth)
		}
	}
	if !found {
		t.Errorf("process %d is not blamed in %s", truth.PID, out.String())
	}
}

// TestICMPLive has ping, on another CPU, send through the one that a process holds, and compares its
// round-trip times with the delays, request by request.
func TestICMPLive(t *testing.T) {
	bench := openBench(t)
	cmd, stderr := dropwatch(t, "icmp", "-f", "json", "--rtt", "-")
	var out, log bytes.Buffer
	cmd.Stdout = &out
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(settled)
	net := bench.Net()
	var ping *exec.Cmd
	err = net.Tx.Do(func() error {
		// Before all others: else it may send none while the CPU is held.
		ping = exec.Command("taskset", "-c", "0", "chrt", "--fifo", "1", "ping", "-D", "-v", "-i", "0.01", "-c", "60", net.Rx.Addr4.String())
		ping.Env = []string{"LC_ALL=C"}
		ping.Stdout = &log
		return ping.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	truth, err := bench.Inject(100 * time.Millisecond)
	if err := errors.Join(err, ping.Wait()); err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Write(log.Bytes()); err != nil {
		t.Fatal(err)
	}
	stdin.Close() // and so the command ends
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if !regexp.MustCompile(`, icmp_echo by (fentry|kprobe|tracepoint)\n`).MatchString(stderr.String()) {
		t.Errorf("the rung is not told: %s", stderr)
	}
	type echo struct {
		Seq              uint16
		Delay            *time.Duration `json:"delay_ns"`
		RTT              *time.Duration `json:"rtt_ns"`
		Verdict, Because string
	}
	var joined, late, blamed int
	for _, e := range objects[echo](t, out.Bytes()) {
		if e.RTT == nil || e.Delay == nil {
			continue
		}
		joined++
		if off := (*e.RTT - *e.Delay).Abs(); off > 2*time.Millisecond {
			t.Errorf("request %d waited %v, its round trip took %v", e.Seq, *e.Delay, *e.RTT)
		}
		if *e.Delay < defaultThreshold {
			continue
		}
		late++
		if e.Verdict == "BH_OFF" && strings.Contains(e.Because, truth.Comm) && strings.Contains(e.Because, "sendto(") {
			blamed++
		}
	}
	// How many requests leave while the CPU is held is up to ping and its timer.
	if joined < 55 || late == 0 || blamed < min(late, 3) {
		t.Errorf("%d requests of 60 were joined, %d were late, and %d of them told to be so because of %s:\n%s\n%s",
			joined, late, blamed, truth.Comm, out.String(), log.String())
	}
}
