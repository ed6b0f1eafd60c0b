// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/profile"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

var (
	site  = &event.Frame{ID: 0, Addr: 0xffffffff81000010, Symbol: "nft_do_chain", Offset: 0x10, Module: "vmlinux"}
	veth  = &event.Frame{ID: 1, Addr: 0xffffffffa0000010, Symbol: "veth_poll", Offset: 0x20, Module: "veth"}
	stack = &event.Stack{Frames: []*event.Frame{site, veth}}
	storm = &event.Cell{
		ID: 0, Reason: event.Reason{Code: 12, Name: "NETFILTER_DROP"}, Location: site,
		Device: event.Device{Index: 2, Name: `e"th;0`}, Netns: event.Netns{Inode: 4026532281},
		Ethertype: event.EthertypeIPv4, Protocol: 6,
	}
	backlog = &event.Cell{ID: 1, Reason: event.Reason{Code: 71, Name: "CPU_BACKLOG"}, Location: veth,
		Device: event.Device{Index: 3, Name: "eth1"}, Netns: event.Netns{Inode: 1, Name: "host"}, Ethertype: event.EthertypeIPv6}
	benign = &event.Cell{ID: 2, Reason: event.Reason{Code: 9, Name: "TCP_OLD_DATA"}, Location: site, Family: 1}
)

func samples() []*event.Drop {
	return []*event.Drop{
		{
			Time: 1500 * time.Millisecond, CPU: 1, Drops: 12, Cell: storm, Len: 60, Context: event.ContextSoftirq, Stack: stack,
			Task: event.Task{PID: 43, TGID: 42, Comm: "<script>x</script>", Cgroup: 77}, Bytes: []byte("E\x00\x00\x1cpacket bytes...."),
			Packet: event.Packet{HasVLAN: true, VLAN: 7, Version: 4, Protocol: 6, TTL: 64, TCPFlags: 0x12,
				Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2"), SrcPort: 4000, DstPort: 80},
		},
		{
			Time: 2 * time.Second, Drops: 1, Cell: backlog, Len: 104, Context: event.ContextIdle, Task: event.Task{Comm: "swapper/0"},
			Packet: event.Packet{Version: 6, Protocol: 58, TTL: 63, HasICMP: true, ICMPType: 128, EchoID: 9, EchoSeq: 3,
				Src: netip.MustParseAddr("fd00::1"), Dst: netip.MustParseAddr("fd00::2")},
		},
		{Time: 2100 * time.Millisecond, Drops: 1, Cell: benign, Len: 5, Context: event.ContextProcess, Task: event.Task{PID: 8, TGID: 8, Comm: `a\\b\x1b`}},
		{
			Time: 2200 * time.Millisecond, Drops: 1, Cell: storm, Len: 8, Context: event.ContextKsoftirqd, Task: event.Task{PID: 15, TGID: 15, Comm: "ksoftirqd/1"},
			Packet: event.Packet{Version: 4, Protocol: 17, Fragment: true, Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.2")},
		},
	}
}

type source struct {
	meta   event.Meta
	events []event.Event
	err    error // at the end; nil: io.EOF
}

func (s *source) Meta() *event.Meta { return &s.meta }

func (s *source) Next() (event.Event, error) {
	if len(s.events) == 0 {
		if s.err != nil {
			return nil, s.err
		}
		return nil, io.EOF
	}
	e := s.events[0]
	s.events = s.events[1:]
	return e, nil
}

func sample() *source {
	missed := uint64(0)
	totals, loss := event.Totals{Drops: 1_234_570, Bytes: 74_074_200, Sampled: 4, Read: 4}, event.Loss{StackFailed: 1, Missed: &missed}
	s := &source{meta: event.Meta{
		Version: "0.1.0", Kernel: "6.18.0", Arch: "amd64", Host: "node7", CPUs: 2, UnwindBudget: 1000,
		Start: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC), Notes: []string{"no symbols: a reason"},
	}}
	for _, d := range samples() {
		s.events = append(s.events, d)
	}
	s.events = append(s.events,
		&event.Tick{Time: 3 * time.Second, Totals: totals, Loss: loss, Counts: []event.Count{
			{Cell: storm, Drops: 1_234_567, Bytes: 74_074_020}, {Cell: backlog, Drops: 2, Bytes: 120}, {Cell: benign, Drops: 1, Bytes: 60},
		}},
		&event.End{Time: 10 * time.Second, Totals: totals, Loss: loss})
	return s
}

func read(t *testing.T, by string, limit int) *Report {
	t.Helper()
	return readAs(t, by, Options{Limit: limit})
}

// readAs reads the sample with options but for what to group by.
func readAs(t *testing.T, by string, options Options) *Report {
	t.Helper()
	dimensions, err := profile.ParseDimensions(by)
	if err != nil {
		t.Fatal(err)
	}
	options.By = dimensions
	r, err := Read(sample(), options)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestText(t *testing.T) {
	for name, test := range map[string]struct {
		by    string
		limit int
		color bool
	}{
		"cells.txt": {"reason,location,device,netns,proto", 0, false},
		"flow.txt":  {"flow,comm,context", 0, false},
		"stack.txt": {"stack", 0, false},
		"limit.txt": {"reason", 1, false},
		"color.txt": {"reason", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := WriteText(&b, read(t, test.by, test.limit), test.color); err != nil {
				t.Fatal(err)
			}
			golden(t, name, b.Bytes())
		})
	}
}

func TestEmpty(t *testing.T) {
	var b bytes.Buffer
	r, err := Read(&source{events: []event.Event{&event.End{}}}, Options{By: profile.Dimensions()[:1]})
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteText(&b, r, false); err != nil {
		t.Fatal(err)
	}
	golden(t, "empty.txt", b.Bytes())
	b.Reset()
	if err := WriteJSON(&b, r); err != nil || !bytes.Contains(b.Bytes(), []byte(`"groups": []`)) {
		t.Errorf("%v: %s", err, b.String())
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJSON(&b, read(t, "reason,device", 0)); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", b.Bytes())
}

func TestEvents(t *testing.T) {
	meta := &sample().meta
	var plain, full []byte
	var lines bytes.Buffer
	enc := NewEventEncoder(&lines, meta)
	for _, d := range samples() {
		plain = AppendEvent(plain, meta, d, EventOptions{})
		full = AppendEvent(full, meta, d, EventOptions{Stack: true, Hex: true})
		if err := enc.Encode(d); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "events.txt", plain)
	golden(t, "events-full.txt", full)
	golden(t, "events.jsonl", lines.Bytes())
}

// TestAppendFrame: a frame is spelled as its String does, with its module.
func TestAppendFrame(t *testing.T) {
	for _, f := range []*event.Frame{
		{}, {Addr: 0x1f}, {Symbol: "f"}, {Addr: 0x1f, Symbol: "f", Offset: 0x10}, {Addr: 1, Symbol: "[bpf]", Offset: 3}, {Addr: 1, Symbol: "f"},
	} {
		if got := string(appendFrame(nil, f)); got != f.String() {
			t.Errorf("%q, want %q", got, f)
		}
		f.Module = "nf_tables"
		if got := string(appendFrame(nil, f)); got != f.String()+" [nf_tables]" {
			t.Errorf("%q, want the module behind %q", got, f)
		}
	}
}

// TestEventStack: names of frames come back from JSON as String spells them.
func TestEventStack(t *testing.T) {
	stack := &event.Stack{Frames: []*event.Frame{
		{}, {Addr: 1, Symbol: "f", Offset: 0x10}, {Addr: 1, Symbol: `a"b`}, {Addr: 1, Symbol: `a\x1bb`}, {Addr: 1, Symbol: "<T>&é\u2028"},
	}}
	var want []string
	for _, f := range stack.Frames {
		want = append(want, f.String())
	}
	var line bytes.Buffer
	d := &event.Drop{Drops: 1, Cell: &event.Cell{Location: &event.Frame{}}, Stack: stack, Bytes: []byte{1, 2, 3}}
	if err := NewEventEncoder(&line, &event.Meta{}).Encode(d); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Stack  []string
		Packet []byte
	}
	if err := json.Unmarshal(line.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, line.Bytes())
	}
	if !slices.Equal(got.Stack, want) || !bytes.Equal(got.Packet, d.Bytes) {
		t.Errorf("%q, %v, want %q, %v", got.Stack, got.Packet, want, d.Bytes)
	}
}
