// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// rungsVariable lists the rungs that have to work on the kernel at hand, with commas.
const rungsVariable = "DROPWATCH_RUNGS"

// TestStallRungs watches by each rung of the ladders alone, and without one of the
// programs on net_rx_action, as kprobes may be missed. A rung that the kernel refuses is
// skipped, unless the variable lists it.
func TestStallRungs(t *testing.T) {
	labtest.NeedRoot(t)
	counting, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		t.Fatal(err)
	}
	defer counting.Close()
	const class = inject.BHOff
	bench, err := inject.Open(class)
	labtest.Need(t, err)
	defer bench.Close()
	for _, rung := range []string{"fentry", "kprobe.multi", "kprobe", tracepoint} {
		t.Run(rung, func(t *testing.T) {
			var spoiled error
			for range attempts {
				if spoiled = watchByRung(t, bench, class, rung); spoiled == nil {
					return
				}
				t.Logf("spoiled: %v", spoiled)
			}
			t.Error(spoiled)
		})
	}
	for _, missed := range []string{"net_rx_action_kprobe", "net_rx_action_kretprobe"} {
		t.Run("without "+missed, func(t *testing.T) { watchWithout(t, bench, "kprobe", missed) })
	}
}

// TestStallRungsBest checks that the first rung that the kernel accepts is used and reported.
func TestStallRungsBest(t *testing.T) {
	labtest.NeedRoot(t)
	best := tracepoint
	for _, rung := range []string{"fentry", "kprobe.multi", "kprobe"} {
		if source, _, err := OpenStallsBy(StallConfig{Echoes: true}, rung); err == nil {
			source.Close()
			best = rung
			break
		}
	}
	source, err := OpenStalls(StallConfig{Echoes: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	needHooks(t, source, best)
}

func needHooks(t *testing.T, source *Stalls, rung string) {
	t.Helper()
	for _, name := range []string{"net_rx_action", "icmp_echo"} {
		if hook := (event.Hook{Name: name, Rung: rung}); !slices.Contains(source.Meta().Hooks, hook) {
			t.Errorf("hooks %v lack %v", source.Meta().Hooks, hook)
		}
	}
}

// openBy opens by a rung, but for some programs. It skips a test whose rung this kernel
// refuses, unless it has to work here.
func openBy(t *testing.T, rung string, without ...string) (*Stalls, map[string]*ebpf.Program) {
	t.Helper()
	source, programs, err := OpenStallsBy(StallConfig{Echoes: true}, rung, without...)
	if err == nil {
		return source, programs
	}
	var rejected *ebpf.VerifierError
	refused := errors.Is(err, ebpf.ErrNotSupported) || errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist)
	if !refused || errors.As(err, &rejected) || slices.Contains(strings.Split(os.Getenv(rungsVariable), ","), rung) {
		t.Fatal(err)
	}
	t.Skip(err)
	return nil, nil
}

// watchByRung returns an error if the stall that was told is not the one that was made,
// which other work of the machine may have spoiled.
func watchByRung(t *testing.T, bench *inject.Bench, class inject.Class, rung string) error {
	const held = 100 * time.Millisecond
	source, programs := openBy(t, rung)
	defer source.Close()
	needHooks(t, source, rung)
	if rung != tracepoint && len(programs) != 3 {
		t.Errorf("%d programs on functions, want 3", len(programs))
	}
	w, err := watchInjected(t, source, bench, held)
	if err != nil {
		return err
	}
	if err := errors.Join(compareRuns(t, source, programs), compareEchoes(w)); err != nil {
		return err
	}
	return compareStall(class, held, w.truth, w.packets, bench.Net().Rx.Netns, w.stalls)
}

// watchWithout watches traffic while a program is never run.
func watchWithout(t *testing.T, bench *inject.Bench, rung, missed string) {
	source, programs := openBy(t, rung, missed)
	defer source.Close()
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	_, err := bench.Stop()
	if err := errors.Join(err, source.Stop()); err != nil {
		t.Fatal(err)
	}
	if err := compareRuns(t, source, programs); err != nil {
		t.Error(err)
	}
}

// compareRuns checks that programs ran, and that each run of a function was counted. A
// run may be on its way while programs are detached. Where threads handle backlogs,
// net_rx_action has nothing to do.
func compareRuns(t *testing.T, source *Stalls, programs map[string]*ebpf.Program) error {
	t.Helper()
	var runs uint64
	for _, times := range source.Histograms() {
		for _, n := range times.Runs {
			runs += n
		}
	}
	threads := threadedBacklogs(t)
	if runs == 0 && !threads {
		return errors.New("no run of net_rx_action was counted")
	}
	for name, program := range programs {
		stats, err := program.Stats()
		if err != nil {
			t.Fatal(err)
		}
		n, isRun := stats.RunCount, strings.HasPrefix(name, "net_rx_action")
		if n == 0 && !(isRun && threads) || isRun && n > runs+uint64(source.Meta().CPUs) {
			return fmt.Errorf("%s ran %d times, and %d runs were counted", name, n, runs)
		}
	}
	return nil
}

// threadedBacklogs reports whether CPUs have threads for their backlogs, as those of
// PREEMPT_RT do since 6.10.
func threadedBacklogs(t *testing.T) bool {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/comm")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		comm, _ := os.ReadFile(file) // the process may have ended
		return strings.HasPrefix(string(comm), "backlog_napi/")
	})
}

// compareEchoes returns an error unless each echo request was told of once, between its
// sending and the arrival of its reply. The clocks of CPUs may be a little apart. A machine
// that keeps programs from running now and then misses one.
func compareEchoes(w watched) error {
	for _, p := range w.packets {
		if p.EchoID == 0 || p.Arrived == 0 {
			continue
		}
		echoes := slices.DeleteFunc(slices.Clone(w.echoes), func(e event.Echo) bool {
			return e.Packet.EchoID != p.EchoID || e.Packet.EchoSeq != uint16(p.Number)
		})
		if len(echoes) != 1 {
			return fmt.Errorf("echo request %d was reported %d times", p.Number, len(echoes))
		}
		e := &echoes[0]
		if e.Queued < p.Sent-edge || e.Time < e.Queued || e.Time > p.Arrived+edge || e.Packet.Dst != p.Dst.Addr() {
			return fmt.Errorf("echo request %d was sent at %v, and its reply came at %v: reported as %+v", p.Number, p.Sent, p.Arrived, *e)
		}
	}
	return nil
}
