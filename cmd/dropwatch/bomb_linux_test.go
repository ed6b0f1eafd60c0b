// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// A file of up to a megabyte is read or refused within this much memory. The time is
// told, not judged: a test cannot know how fast the machine is.
const (
	bombBytes = 1 << 20
	bombRSS   = 256 << 20
)

// bomb makes a recording of as many lines as fit in a megabyte of zstd.
type bomb struct {
	file    bytes.Buffer
	encoder *zstd.Encoder
}

func newBomb(t *testing.T) *bomb {
	t.Helper()
	b := new(bomb)
	var err error
	if b.encoder, err = zstd.NewWriter(&b.file, zstd.WithEncoderConcurrency(1)); err != nil {
		t.Fatal(err)
	}
	// What does not compress makes room for what does.
	junk := make([]byte, 0, 400<<10)
	random := rand.New(rand.NewPCG(1, 2))
	for len(junk) < cap(junk) {
		junk = append(junk, 'a'+byte(random.IntN(26)))
	}
	b.line(`{"type":"header","schema":4,"junk":"%s","arch":"amd64","kernel":"6","host":"h","cpus":8,"start":"2026-01-01T00:00:00Z","boot":"2026-01-01T00:00:00Z"}`, junk)
	return b
}

// line adds a line, and reports whether there is room for more.
func (b *bomb) line(format string, args ...any) bool {
	_, _ = fmt.Fprintf(b.encoder, format+"\n", args...) // to memory
	return b.file.Len() < bombBytes-300<<10
}

func (b *bomb) bytes() []byte {
	_ = b.encoder.Close() // to memory
	return b.file.Bytes()
}

// most is how many lines are made of what compresses to nothing.
const most = 300_000

// bombs are recordings that take much to read, each in its own way.
var bombs = map[string]struct {
	readers []string
	fill    func(b *bomb)
}{
	"one line": {anyReaders, func(b *bomb) { b.line(`{"type":"tick","x":"%s"}`, strings.Repeat("x", 64<<20)) }},
	"empty ticks": {anyReaders, func(b *bomb) {
		for i := 0; i < most && b.line(`{"type":"tick"}`); i++ {
		}
	}},
	"flows": {dropReaders, func(b *bomb) {
		cell(b, 0)
		for i := 0; i < most && b.line(`{"type":"drop","cell":0,"drops":1,"ip":4,"src":"10.%d.%d.%d","dst":"10.9.9.9","sport":%d,"protocol":6}`, i>>16&255, i>>8&255, i&255, i&0xffff); i++ {
		}
	}},
	"tasks": {dropReaders, func(b *bomb) {
		cell(b, 0)
		for i := 0; i < most && b.line(`{"type":"drop","cell":0,"drops":1,"stack":0,"context":"process","pid":%d,"cpu":%d,"comm":"c%d"}`, i, i, i); i++ {
		}
	}},
	"tasks without a context": {dropReaders, func(b *bomb) {
		cell(b, 0)
		for i := 0; i < most && b.line(`{"type":"drop","cell":0,"pid":%d}`, i); i++ {
		}
	}},
	"frames": {anyReaders, func(b *bomb) {
		for i := 0; i < most && b.line(`{"type":"frame","id":%d,"addr":"%x","symbol":"f%d"}`, i, i, i); i++ {
		}
	}},
	"long names": {anyReaders, func(b *bomb) {
		name := strings.Repeat("n", 4000)
		for i := 0; i < most && b.line(`{"type":"frame","id":%d,"addr":"%x","symbol":"%s%d"}`, i, i, name, i); i++ {
		}
	}},
	"stacks": {dropReaders, func(b *bomb) {
		deep(b, 8)
		for i := 1; i < most; i++ {
			if !b.line(`{"type":"stack","id":%d,"frames":[%d,%s]}`, i, i%127, strings.TrimSuffix(strings.Repeat("1,2,3,", 40), ",")) ||
				!b.line(`{"type":"drop","cell":0,"drops":1,"stack":%d,"context":"idle"}`, i) {
				return
			}
		}
	}},
	"long stacks": {dropReaders, func(b *bomb) {
		deep(b, 4000)
		for i := 0; i < most && b.line(`{"type":"drop","cell":0,"drops":1,"stack":0,"context":"process","comm":"c%d"}`, i); i++ {
		}
	}},
	"cells": {dropReaders, func(b *bomb) {
		deep(b, 8)
		for i := 1; i < most; i++ {
			if !b.line(`{"type":"cell","id":%d,"reason":"R%d","reason_code":%d,"location":0,"device":"eth%d","netns":%d}`, i, i, i, i, i) ||
				!b.line(`{"type":"drop","cell":%d,"drops":1,"stack":0}`, i) {
				return
			}
		}
	}},
	"counters": {counterReaders, func(b *bomb) {
		for i := 0; i < most && b.line(`{"type":"counter","id":%d,"source":"protocol","name":"UdpInErrors","netns":%d}`, i, i); i++ {
			if i%1000 == 999 {
				var values strings.Builder
				for j := range i {
					fmt.Fprintf(&values, ",[%d,%d]", j, i)
				}
				b.line(`{"type":"counters","time_ns":%d,"values":[%s]}`, i, values.String()[1:])
			}
		}
	}},
	"counters that move": {counterReaders, func(b *bomb) {
		for i := range 80_000 {
			b.line(`{"type":"counter","id":%d,"source":"driver","name":"rx%d_xdp_drop","netns":%d,"device":"d"}`, i, i, i)
		}
		readings(b, 80_000, 0)
		readings(b, 80_000, 5)
	}},
	"counters that rest": {counterReaders, func(b *bomb) {
		for i := range 200_000 {
			b.line(`{"type":"counter","id":%d,"source":"link","name":"rx_dropped","netns":%d,"device":"d%d"}`, i, i, i)
		}
		readings(b, 200_000, 0)
		b.line(`{"type":"counters"}`)
	}},
	"rows of a place with many cells": {counterReaders, func(b *bomb) {
		placed(b, "NO_SOCKET", `"source":"protocol","name":"UdpNoPorts","part":"%d"`)
	}},
	"queues of a device with many cells": {counterReaders, func(b *bomb) {
		placed(b, "XDP", `"source":"driver","name":"rx_queue_%d_xdp_drops","device":"d"`)
	}},
	"CPUs with many cells": {counterReaders, func(b *bomb) {
		placed(b, "CPU_BACKLOG", `"source":"softnet","name":"dropped","ifindex":%d`)
	}},
	"a counter read often": {counterReaders, func(b *bomb) {
		b.line(`{"type":"counter","id":0,"source":"link","name":"rx_dropped"}`)
		b.line(`{"type":"counters","values":[%s]}`, strings.TrimSuffix(strings.Repeat("[0,0],", 1_000_000), ","))
	}},
	"tasks with long names": {dropReaders, func(b *bomb) {
		cell(b, 0)
		for i := 0; i < most && b.line(`{"type":"drop","cell":0,"drops":1,"stack":0,"context":"process","pid":%d,"comm":"%s%d"}`, i, strings.Repeat("c", 4000), i); i++ {
		}
	}},
	"tasks with names of 128 bytes": {dropReaders, func(b *bomb) {
		cell(b, 0)
		for i := 0; i < most && b.line(`{"type":"drop","cell":0,"drops":1,"stack":0,"context":"process","pid":%d,"comm":"%s%d"}`, i, strings.Repeat("c", 120), i); i++ {
		}
	}},
	"cells that go": {dropReaders, func(b *bomb) {
		b.line(`{"type":"frame","id":0,"addr":"ff","symbol":"f"}`)
		for i := 0; i < most; i++ {
			b.line(`{"type":"cell","id":0,"reason":"R%d","location":0,"device":"d%d","ifindex":%d,"netns":%d}`, i, i, i, i)
			if !b.line(`{"type":"tick","time_ns":%d,"counts":[[0,1,1,1]],"gone":[0],"totals":{"drops":%d}}`, i, i+1) {
				return
			}
		}
	}},
	"samples of programs' frames": {stallReaders, func(b *bomb) {
		frames := strings.TrimSuffix(strings.Repeat("{},", 250), ",")
		for i := 0; i < most && b.line(`{"type":"sample","time_ns":%d,"cpu":0,"window_ns":0,"at":{"pid":%d},"user":[%s]}`, i, i, frames); i++ {
		}
	}},
	"lists of something else": {anyReaders, func(b *bomb) {
		for _, line := range []string{`{"type":"counters","links":[%s]}`, `{"type":"counters","gone":[%s]}`, `{"type":"tick","counts":[%s]}`, `{"type":"window","waiter":"softirq","edges":[%s]}`} {
			for _, element := range []string{"1,", "{},", "null,", "[],"} {
				b.line(line, strings.TrimSuffix(strings.Repeat(element, 4<<20), ","))
			}
		}
	}},
	"links": {anyReaders, func(b *bomb) {
		b.line(`{"type":"counters","links":[%s]}`, strings.TrimSuffix(strings.Repeat("{},", 4<<20), ","))
	}},
	"ticks of all cells": {anyReaders, func(b *bomb) {
		cell(b, 0)
		counts := strings.TrimSuffix(strings.Repeat("[0,1,1],", 200_000), ",")
		for i := 0; i < 200 && b.line(`{"type":"tick","time_ns":%d,"counts":[%s]}`, i, counts); i++ {
		}
	}},
	"windows": {stallReaders, func(b *bomb) {
		edges := strings.TrimSuffix(strings.Repeat(`{"edge":"raise"},`, 1000), ",")
		for i := 0; i < most && b.line(`{"type":"window","cpu":%d,"waiter":"softirq","start_ns":%d,"served_ns":%d,"done_ns":%d,"late":3,"edges":[%s]}`, i%8, i, i+50_000_000, i+60_000_000, edges); i++ {
		}
	}},
	"samples without a window": {stallReaders, func(b *bomb) {
		deep(b, 8)
		for i := 0; i < most && b.line(`{"type":"sample","time_ns":%d,"cpu":%d,"window_ns":%d,"stack":0,"at":{"comm":"c%d"}}`, i, i, i, i); i++ {
		}
	}},
	"late packets without a window": {stallReaders, func(b *bomb) {
		for i := 0; i < most && b.line(`{"type":"late","time_ns":%d,"cpu":%d,"window_ns":7}`, i, i%8); i++ {
		}
	}},
	"stalls": {stallReaders, func(b *bomb) {
		deep(b, 8)
		for i := 0; i < most; i++ {
			start := i * 100_000_000
			b.line(`{"type":"sample","time_ns":%d,"cpu":1,"window_ns":%d,"stack":0,"at":{"comm":"c%d","pid":%d,"preempt_count":256}}`, start+10_000_000, start, i, i)
			if !b.line(`{"type":"window","cpu":1,"waiter":"softirq","start_ns":%d,"served_ns":%d,"done_ns":%d,"raised_ns":%d,"late":3,"ticks":10,"at":{"comm":"c%d","pid":%d}}`, start, start+50_000_000, start+51_000_000, start, i, i) {
				return
			}
		}
	}},
	"echoes": {echoReaders, func(b *bomb) {
		for i := 0; i < most && b.line(`{"type":"echo","time_ns":%d,"cpu":%d,"queued_ns":1}`, 1_000_000_000+i, i%8); i++ {
		}
	}},
	"long words": {anyReaders, func(b *bomb) {
		b.line(`{"type":"window","waiter":"%s"}`, strings.Repeat("w", 900_000))
	}},
	"deep": {anyReaders, func(b *bomb) { b.line(`{"type":%s`, strings.Repeat("[", 900_000)) }},
}

// readings adds readings of counters.
func readings(b *bomb, counters, value int) {
	var values strings.Builder
	for i := range counters {
		fmt.Fprintf(&values, ",[%d,%d]", i, value)
	}
	b.line(`{"type":"counters","values":[%s]}`, values.String()[1:])
}

// placed adds cells of one device, and as many counters that all of their drops may move.
func placed(b *bomb, reason, counter string) {
	const n = 35_000
	b.line(`{"type":"frame","id":0,"addr":"ff","symbol":"veth_xdp_rcv_skb"}`)
	var counts strings.Builder
	for i := range n {
		b.line(`{"type":"cell","id":%d,"reason":"%s","reason_code":%d,"location":0,"device":"d","netns":1,"ethertype":2048,"protocol":17}`, i, reason, i)
		b.line(`{"type":"counter","id":%d,`+counter+`,"netns":1}`, i, i)
		fmt.Fprintf(&counts, ",[%d,1,1,1]", i)
	}
	b.line(`{"type":"tick"}`)
	readings(b, n, 0)
	b.line(`{"type":"tick","counts":[%s],"totals":{"drops":%d}}`, counts.String()[1:], n)
	readings(b, n, 1)
	b.line(`{"type":"tick","totals":{"drops":%d}}`, n)
}

func cell(b *bomb, id int) {
	b.line(`{"type":"frame","id":0,"addr":"ff","symbol":"f"}`)
	b.line(`{"type":"stack","id":0,"frames":[0]}`)
	b.line(`{"type":"cell","id":%d,"reason":"R","reason_code":1,"location":0}`, id)
}

// deep adds a stack of 127 frames with names of so many bytes.
func deep(b *bomb, bytes int) {
	all := ""
	for i := range 127 {
		b.line(`{"type":"frame","id":%d,"addr":"%x","symbol":"%s%d"}`, i, i, strings.Repeat("n", bytes), i)
		all += fmt.Sprintf(",%d", i)
	}
	b.line(`{"type":"stack","id":0,"frames":[%s]}`, all[1:])
	b.line(`{"type":"cell","id":0,"reason":"R","reason_code":1,"location":0}`)
}

// The commands that read drops, stalls and so on. Others than those of a bomb's kind go past
// what it holds, all of them in the same way.
var (
	dropReaders = []string{
		"report", "report -n 0 --all --by flow,comm,pid,cpu", "report -n 0 --by stack -f json", "events -v", "events -f json", "fold",
		"pprof", "flamegraph", "diff", "diff -f svg",
	}
	stallReaders = []string{"report --of stalls", "fold --of stalls", "pprof --of stalls", "flamegraph --of stalls", "stalls", "stalls -f json"}
	echoReaders  = []string{"icmp", "icmp -f json", "report"}
	// What holds counters against drops is the same for all that add up drops.
	counterReaders = []string{"report", "report -n 0 -f json", "events -v", "fold --root device,netns,flow", "pprof", "flamegraph", "diff"}
	anyReaders     = []string{"report", "stalls", "diff", "icmp"} // of what no event is made of
)

// TestBombs reads hostile files with every command that reads recordings, each in a
// process whose memory is measured.
func TestBombs(t *testing.T) {
	path := static(t)
	for name, bomb := range bombs {
		t.Run(name, func(t *testing.T) {
			b := newBomb(t)
			bomb.fill(b)
			content := b.bytes()
			if len(content) > bombBytes {
				t.Fatalf("%d bytes", len(content))
			}
			file := filepath.Join(t.TempDir(), "bomb")
			putFile(t, file, string(content))
			forgetPeak(t)
			for _, args := range bomb.readers {
				t.Run(args, func(t *testing.T) {
					t.Parallel()
					explode(t, path, strings.Fields(args), file)
				})
			}
		})
	}
}

// forgetPeak frees what making a bomb took. What a process has had at most when it runs
// another program counts for that (setmax_mm_hiwater_rss in fs/exec.c).
func forgetPeak(t *testing.T) {
	t.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // Documentation/filesystems/proc.rst
		t.Error(err)
	}
}

func explode(t *testing.T, path string, args []string, file string) {
	args = append(args, file)
	if args[0] == "diff" {
		args = append(args, file)
	}
	cmd := exec.Command(path, args...)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = null, &stderr
	_ = cmd.Run() // refused or read
	state := cmd.ProcessState
	if status := state.ExitCode(); status != statusDone && status != statusFailed {
		t.Errorf("exit status %d: %.500s", status, &stderr)
	}
	rss, took := state.SysUsage().(*syscall.Rusage).Maxrss<<10, state.UserTime()+state.SystemTime()
	if rss > bombRSS {
		t.Errorf("takes %d MiB: %.200s", rss>>20, &stderr)
	}
	t.Logf("%d MiB, %v", rss>>20, took.Round(time.Millisecond))
	if stderr.Len() > 64<<10 {
		t.Errorf("says %d bytes", stderr.Len())
	}
}
