// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// long is the variable that makes TestScale go on for ten minutes.
const long = "DROPWATCH_LONG"

// TestScale: ten million drops on two CPUs, into a ring buffer of one page and onto a
// disk that takes 4 kB a second. Samples get lost, and are counted; drops do not.
func TestScale(t *testing.T) {
	const memory = 64 << 20
	group := newMemoryGroup(t, memory)
	cmd, stderr := dropwatch(t)
	cmd.Env = append(cmd.Env, asDropwatch+"="+inSmallRing)
	cmd.Args = group.wrap(cmd.Args)
	cmd.Path = cmd.Args[0]
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	disk := newSlowDisk(t, out)
	if !disk.began() { // the tracer is attached then
		t.Fatalf("nothing is recorded: %v: %s", cmd.Wait(), stderr)
	}
	floods := newFloods(t)

	ended := make(chan error, len(floods))
	for _, f := range floods {
		go func() { ended <- storm(t, f) }()
	}
	watchMemory(t, group, func() {
		for range floods {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	if err := cmd.Process.Signal(unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	disk.quick.Store(true)
	if err := <-disk.done; err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if most := group.most(t); most >= memory {
		t.Errorf("took %d bytes, all there are", most)
	}
	checkScale(t, disk.path, floods)
}

// newFloods returns a flood for each of two CPUs.
func newFloods(t *testing.T) (floods []*lab.Flood) {
	t.Helper()
	net, err := lab.NewNet()
	labtest.Need(t, err)
	t.Cleanup(func() {
		if err := net.Close(); err != nil {
			t.Error(err)
		}
	})
	for cpu := range 2 {
		f, err := net.NewFlood(lab.FloodOptions{CPU: cpu % runtime.NumCPU(), Hook: lab.Output, Port: 20_010 + 10*uint16(cpu)})
		labtest.Need(t, err)
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
		floods = append(floods, f)
	}
	return floods
}

// storm sends half of ten million packets, or for ten minutes.
func storm(t *testing.T, f *lab.Flood) (err error) {
	if os.Getenv(long) != "" {
		_, err = f.Run(t.Context(), lab.Sendto, 10*time.Minute)
		return err
	}
	_, err = f.Mix(t.Context(), []lab.Burst{{Path: lab.Sendto, Packets: 1000}}, 5000)
	return err
}

// checkScale compares what was recorded with what the rules of the floods counted.
func checkScale(t *testing.T, path string, floods []*lab.Flood) {
	t.Helper()
	var want uint64
	for _, f := range floods {
		n, err := f.Drops()
		if err != nil {
			t.Fatal(err)
		}
		want += n
	}
	r := readScale(t, path, floods[0].Expect().Netns)
	if want < 10_000_000 || r.counted != want {
		t.Errorf("counted %d drops, nft %d", r.counted, want)
	}
	totals, loss := r.end.Totals, r.end.Loss
	t.Logf("%d drops, %d samples, %d that found no room", want, totals.Read, loss.RingFull)
	if r.all != totals.Drops {
		t.Errorf("cells hold %d drops, the totals say %d", r.all, totals.Drops)
	}
	if totals.Sampled != totals.Read || totals.Read != r.samples+loss.Malformed {
		t.Errorf("%d samples submitted, %d read, %d recorded, %d malformed", totals.Sampled, totals.Read, r.samples, loss.Malformed)
	}
	if loss.RingFull == 0 {
		t.Error("a ring buffer of a page was never full")
	}
	if loss.Overflow > 0 || loss.Malformed > 0 {
		t.Errorf("lost: %+v", loss)
	}
}

// scaled is what a recording adds up to.
type scaled struct {
	counted uint64 // drops by nft in the namespace
	all     uint64 // drops
	samples uint64
	end     event.End
}

func readScale(t *testing.T, path string, netns uint32) (r scaled) {
	t.Helper()
	eachEvent(t, path, func(e event.Event) {
		switch e := e.(type) {
		case *event.Drop:
			r.samples++
		case *event.Tick:
			for _, c := range e.Counts {
				r.all += c.Drops
				if c.Cell.Netns.Inode == netns && c.Cell.Reason.Name == "NETFILTER_DROP" {
					r.counted += c.Drops
				}
			}
		case *event.End:
			r.end = *e
		}
	})
	return r
}
