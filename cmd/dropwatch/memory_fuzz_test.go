// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// fuzzed are the commands that read a recording.
var fuzzed = []string{
	"report", "report -n 0 --all --by reason,location,device,netns,stack", "report -n 0 --by flow,comm,pid,cpu,dst -f json",
	"report --of stalls -n 0", "events -v -x", "events -f json", "fold", "fold --root device,netns,flow", "fold --of stalls",
	"stalls -v", "stalls -f json", "flamegraph", "flamegraph --root netns,comm -f html", "flamegraph --of stalls",
	"pprof", "pprof --of stalls", "diff", "diff -f svg", "icmp", "icmp -f json",
}

// What a command may allocate in all for a recording, garbage included: bytes for each line
// and each byte, beside what the command takes for an empty one. Stacks count for each line
// that refers to them. The seeds take half of it.
const (
	allocatedFixed   = 1 << 20
	allocatedForLine = 12 << 10
	allocatedForByte = 32
)

// FuzzCommandMemory makes a recording of the input, reads it with a command that the input
// names, and looks at how much that allocates. It adds up what this process allocates, not
// what it holds at most, so that neither the garbage collector's moments nor other workers
// have a part in it.
func FuzzCommandMemory(f *testing.F) {
	for command := range fuzzed {
		for kind := range byte(lineKinds) {
			// Each kind alone and between others, some lines of it and many, with names that are short, long and alike.
			f.Add([]byte{byte(command), kind, 40, 1, kind, 200, 2, 5, 9, 3})
			f.Add([]byte{byte(command), lineCell, 60, 1, lineDrop, 90, kind, kind, 90, 5, lineTick, 0, 1, lineCounters, 9, 4, lineWindow, 60, 3, lineTick, 1, 0})
		}
	}
	empty := map[string]uint64{}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 || len(in) > 100 {
			return
		}
		command := fuzzed[int(in[0])%len(fuzzed)]
		if empty[command] == 0 {
			allocated(t, command, (&lines{}).recording()) // what is made once
			empty[command] = allocated(t, command, (&lines{}).recording())
		}
		l := &lines{in: in[1:]}
		text := l.recording()
		took := allocated(t, command, text)
		if most := empty[command] + allocatedFixed + allocatedForLine*uint64(l.n) + allocatedForByte*uint64(len(text)+l.spelled); took > most {
			t.Errorf("%s allocates %d bytes for %d lines of %d bytes, %d at most:\n%.3000s", command, took, l.n, len(text), most, text)
		}
	})
}

// allocated returns how much a command allocates in all.
func allocated(t *testing.T, command string, recording []byte) uint64 {
	args := strings.Fields(command)
	s := streams{bytes.NewReader(recording), io.Discard, io.Discard, new(colorMode)}
	if args[0] == "diff" {
		file := filepath.Join(t.TempDir(), "recording")
		if err := os.WriteFile(file, recording, 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, file, file)
	} else {
		args = append(args, "-")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err := run(context.Background(), args, s)
	runtime.ReadMemStats(&after)
	var corrupt *event.CorruptError
	if code := status(err); code != statusDone && code != statusFailed || errors.As(err, &corrupt) {
		t.Errorf("%s: exit status %d: %v", command, code, err) // what is made here can be read
	}
	return after.TotalAlloc - before.TotalAlloc
}

// The kinds of lines.
const (
	lineFrame = iota
	lineStack
	lineCell
	lineDrop
	lineTick
	lineCounter
	lineCounters
	lineLinks
	lineSample
	lineWindow
	lineLate
	lineEcho
	lineKinds
)

// lines makes lines of a recording of bytes: a kind, how many of it, and what its members
// are made of, again and again. Numbers refer to what there is, so that most can be read.
type lines struct {
	in   []byte
	text bytes.Buffer
	n    int

	frames, stacks, cells, counters int

	longest int // stack, bytes of its names
	spelled int // bytes of the names in stacks that lines refer to
	drops   uint64
	time    int // milliseconds
}

// recording returns what is made of the bytes.
func (l *lines) recording() []byte {
	l.text.WriteString(`{"type":"header","schema":4,"host":"h","cpus":8,"start":"2026-01-01T00:00:00Z"}` + "\n")
	const most, mostBytes = 400, 200 << 10
	for len(l.in) > 0 {
		kind, many, style := l.next()%lineKinds, l.next(), l.next()
		for i := 0; i <= many && l.n < most && l.text.Len() < mostBytes; i++ {
			l.line(kind, style, i)
		}
	}
	l.put(`{"type":"tick","time_ns":%d,"totals":{"drops":%d}}`, l.now(), l.drops)
	l.put(`{"type":"end","time_ns":%d,"totals":{"drops":%d}}`, l.now(), l.drops)
	return l.text.Bytes()
}

func (l *lines) next() int {
	if len(l.in) == 0 {
		return 0
	}
	b := l.in[0]
	l.in = l.in[1:]
	return int(b)
}

func (l *lines) put(format string, args ...any) {
	fmt.Fprintf(&l.text, format+"\n", args...)
	l.n++
}

func (l *lines) now() int { l.time += 7; return l.time * 1_000_000 }

// word returns a name: by style always the same, always another, a long one, or one that
// grows when it is escaped.
func (l *lines) word(style, i int, known ...string) string {
	switch style % 5 {
	case 0:
		return fmt.Sprint("w", i)
	case 1:
		return "w"
	case 2:
		return strings.Repeat("long", 25) + fmt.Sprint(i)
	case 3:
		return strings.Repeat(`\u0001`, 40) + fmt.Sprint(i)
	}
	if len(known) == 0 {
		return "-"
	}
	return known[i%len(known)]
}

// list returns elements with commas between them.
func list(n int, element func(i int) string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = element(i)
	}
	return strings.Join(all, ",")
}

// pick returns a number below n: by style all in turn, the last, or the first.
func pick(style, i, n int) int {
	switch {
	case n == 0:
		return 0
	case style%3 == 0:
		return i % n
	case style%3 == 1:
		return n - 1
	}
	return 0
}

// need adds what others refer to.
func (l *lines) need() {
	if l.frames == 0 {
		l.line(lineFrame, 4, 0)
	}
	if l.stacks == 0 {
		l.line(lineStack, 0, 0)
	}
}

func (l *lines) line(kind, style, i int) {
	switch kind {
	case lineFrame:
		l.put(`{"type":"frame","id":%d,"addr":"%x","symbol":"%s"}`, l.frames, i+1, l.word(style, i, "udp_queue_rcv_skb", "veth_xdp_rcv_skb", "__schedule"))
		l.frames++
	case lineStack:
		if l.frames == 0 {
			l.line(lineFrame, style, i)
		}
		l.longest = max(l.longest, (1+style%200)*165)
		l.put(`{"type":"stack","id":%d,"frames":[%s]}`, l.stacks, list(1+style%200, func(j int) string { return fmt.Sprint((i + j) % l.frames) }))
		l.stacks++
	case lineCell:
		l.need()
		reason := l.word(style, i, "NO_SOCKET", "XDP", "CPU_BACKLOG", "SOCKET_RCVBUFF", "NOT_SPECIFIED")
		l.put(`{"type":"cell","id":%d,"reason":"%s","location":%d,"device":"%s","ifindex":%d,"netns":%d,"netns_name":"%s","protocol":17,"ethertype":2048}`,
			l.cells, reason, pick(style, i, l.frames), l.word(style/5, i), pick(style/3, i, 100), pick(style/7, i, 100), l.word(style/25, i))
		l.cells++
	case lineDrop:
		if l.cells == 0 {
			l.line(lineCell, 4, 0)
		}
		l.spelled += l.longest
		l.put(`{"type":"drop","time_ns":%d,"cell":%d,"drops":1,"stack":%d,"context":"%s","comm":"%s","pid":%d,"cpu":%d,"ip":4,"protocol":17,"src":"10.0.%d.1","dst":"10.0.0.1","sport":%d}`,
			l.now(), pick(style, i, l.cells), pick(style/3, i, l.stacks), []string{"process", "idle", "softirq"}[style%3], l.word(style/5, i), i, i%64, i%256, i)
	case lineTick:
		n, each := min(l.cells, 100), uint64(1+style%2)
		l.drops += uint64(n) * each
		gone := ""
		if style%4 == 0 {
			gone = list(n, func(j int) string { return fmt.Sprint(j) })
		}
		l.put(`{"type":"tick","time_ns":%d,"counts":[%s],"gone":[%s],"totals":{"drops":%d}}`, l.now(),
			list(n, func(j int) string { return fmt.Sprintf("[%d,%d,100,1]", j, each) }), gone, l.drops)
	case lineCounter:
		name := l.word(style, i, "rx_missed_errors", "UdpNoPorts", "TcpExtListenDrops", "rx_dropped", "rx_queue_0_xdp_drops", "dropped")
		source := []string{"link", "protocol", "driver", "softnet", "qdisc", "xfrm", "neighbour", "conntrack"}[(style/5)%8]
		l.put(`{"type":"counter","id":%d,"source":"%s","name":"%s","device":"%s","ifindex":%d,"netns":%d,"part":"%s"}`,
			l.counters, source, name, l.word(style/25, i), pick(style, i, 100), pick(style/3, i, 100), l.word(style/7, i))
		l.counters++
	case lineCounters:
		if l.counters == 0 {
			l.line(lineCounter, 4, 0)
		}
		n := min(l.counters, 100)
		values := list(n, func(j int) string { return fmt.Sprintf("[%d,%d]", j, l.time*(style%3)) })
		gone := ""
		if style%4 == 1 {
			gone = list(n, func(j int) string { return fmt.Sprint(j) })
		}
		l.put(`{"type":"counters","time_ns":%d,"values":[%s],"gone":[%s]}`, l.now(), values, gone)
	case lineLinks:
		l.put(`{"type":"counters","time_ns":%d,"links":[%s]}`, l.now(), list(1+style%50, func(j int) string {
			return fmt.Sprintf(`{"name":"%s","ifindex":%d,"netns":%d,"kind":"veth","peer":"%s","peer_ifindex":%d,"peer_netns":%d}`,
				l.word(style, j), pick(style, i*50+j, 1000), pick(style/3, j, 100), l.word(style/5, j), pick(style/7, j, 100), pick(style/9, j, 100))
		}))
	case lineSample:
		l.need()
		l.spelled += l.longest
		l.put(`{"type":"sample","time_ns":%d,"cpu":%d,"window_ns":%d,"stack":%d,"at":{"pid":%d,"comm":"%s"},"user":[%s]}`, l.now(), pick(style/3, i, 64),
			l.time/100*100_000_000, pick(style, i, l.stacks), i, l.word(style/5, i),
			list(style%20, func(j int) string { return fmt.Sprintf(`{"addr":"%x","symbol":"u%d"}`, j, j) }))
	case lineWindow:
		start := l.time / 100 * 100_000_000
		edges := list(style%60, func(j int) string {
			return fmt.Sprintf(`{"time_ns":%d,"edge":"%s","vector":3,"irq":%d,"handler":"h%d","task":{"pid":%d,"comm":"%s"}}`,
				start+j*10_000, []string{"raise", "switch", "irq_entry", "irq_exit", "wake"}[j%5], j, j, j, l.word(style/5, j))
		})
		l.put(`{"type":"window","cpu":%d,"waiter":"%s","start_ns":%d,"served_ns":%d,"done_ns":%d,"raised_ns":%d,"late":%d,"ticks":9,"thread":%d,"at":{"pid":%d,"comm":"%s"},"edges":[%s]}`,
			pick(style/3, i, 64), []string{"softirq", "thread", "packets"}[style%3], start, start+50_000_000+i, start+60_000_000+i, start, i, i%7, i, l.word(style/5, i), edges)
	case lineLate:
		l.put(`{"type":"late","time_ns":%d,"cpu":%d,"window_ns":%d,"queued_ns":1,"device":"%s","netns":%d,"ip":4,"protocol":1,"src":"10.0.0.1","dst":"10.0.0.2","icmp_type":8,"echo_id":%d,"echo_seq":%d}`,
			l.now(), pick(style/3, i, 64), l.time/100*100_000_000, l.word(style, i), i, i, i)
	case lineEcho:
		l.put(`{"type":"echo","time_ns":%d,"cpu":%d,"queued_ns":1,"task":{"pid":%d,"comm":"%s"},"ip":4,"protocol":1,"src":"10.0.0.1","dst":"10.0.0.2","icmp_type":8,"echo_id":%d,"echo_seq":%d}`,
			l.now(), pick(style/3, i, 64), i, l.word(style, i), i, i)
	}
}
