// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func TestFold(t *testing.T) {
	stacks, err := Fold(sample())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteFolded(&b, stacks); err != nil {
		t.Fatal(err)
	}
	want := `[idle];udp_unicast_rcv_skb;NO_SOCKET 2
[not sampled];CPU_BACKLOG 8
[process: a\x3bb];__x64_sys_sendto;nf_hook_slow;nft_do_chain;NETFILTER_DROP 292
[softirq];[no stack];NETFILTER_DROP 102
[softirq];nf_hook_slow;nft_do_chain;NETFILTER_DROP 606
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTrimmed(t *testing.T) {
	names := func(list string) (frames []*event.Frame) {
		for i, name := range strings.Fields(list) {
			frames = append(frames, frame(i, name))
		}
		return frames
	}
	for name, test := range map[string]struct {
		context     event.Context
		stack, want string
	}{
		"softirq":             {event.ContextSoftirq, "nft nf_hook_slow __napi_poll net_rx_action handle_softirqs do_softirq.part.0 udp_sendmsg", "nft nf_hook_slow"},
		"timer softirq":       {event.ContextIdle, "neigh_invalidate neigh_timer_handler call_timer_fn handle_softirqs", "neigh_invalidate neigh_timer_handler call_timer_fn"},
		"older kernel":        {event.ContextKsoftirqd, "a napi_poll net_rx_action __do_softirq run_ksoftirqd", "a"},
		"dropped by the poll": {event.ContextSoftirq, "net_rx_action handle_softirqs", "net_rx_action"},
		"system call":         {event.ContextProcess, "nft __sys_sendto __x64_sys_sendto do_syscall_64 entry_SYSCALL_64_after_hwframe", "nft __sys_sendto __x64_sys_sendto"},
		"kernel thread":       {event.ContextProcess, "a worker_thread kthread ret_from_fork ret_from_fork_asm", "a worker_thread"},
		"napi thread":         {event.ContextProcess, "a process_backlog napi_threaded_poll_loop napi_threaded_poll kthread ret_from_fork", "a process_backlog"},
		"nothing but entry":   {event.ContextProcess, "do_syscall_64", "do_syscall_64"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			frames, cut := trimmed(&event.Stack{Frames: names(test.stack), Cut: true}, test.context == event.ContextProcess)
			for _, f := range frames {
				got = append(got, f.Symbol)
			}
			if want := len(got) == len(strings.Fields(test.stack)) || test.context == event.ContextProcess; cut != want {
				t.Errorf("cut off: %t, want %t", cut, want)
			}
			if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAccounting(t *testing.T) {
	none, some := uint64(0), uint64(3)
	for want, test := range map[string]struct {
		drops uint64
		t     event.Totals
		l     event.Loss
	}{
		"0 drops counted, 0 unwound; nothing lost": {0, event.Totals{}, event.Loss{Missed: &none}},
		"1,234,567 drops counted, 1,000 unwound, 1,233,567 not unwound; nothing lost": {
			1234567, event.Totals{Sampled: 1000, Read: 1000}, event.Loss{Missed: &none}},
		"5 drops counted, 4 unwound, 1 not unwound; lost: 2 samples to a full ring buffer, 1 sample not read, " +
			"1 stack not unwound, 3 drops missed in the middle of another": {
			5, event.Totals{Sampled: 5, Read: 4}, event.Loss{RingFull: 2, StackFailed: 1, Missed: &some}},
		"5 drops counted, 5 unwound; lost: missed drops not available": {5, event.Totals{Sampled: 5, Read: 5}, event.Loss{}},
	} {
		if got := Accounting(test.drops, test.t, test.l); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestPProf asks the tool that reads the profile.
func TestPProf(t *testing.T) {
	p, cut, err := PProf(sample())
	if err != nil || cut != nil {
		t.Fatal(err, cut)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "drops.pb.gz")
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}

	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"top":                    {[]string{"-top"}, []string{"1000 99.01%", "NETFILTER_DROP", "Type: drops", "Showing nodes accounting for 1010, 100% of 1010 total"}},
		"bytes":                  {[]string{"-top", "-sample_index=bytes"}, []string{"98.63kB, 100% of 98.63kB total"}},
		"tags":                   {[]string{"-tags"}, []string{"NETFILTER_DROP", "netfilter", "policy", "eth0", "swapper/1", `a;b`}},
		"tagfocus":               {[]string{"-top", "-tagfocus=reason=NO_SOCKET"}, []string{"accounting for 2, 0.2% of 1010 total", "udp_unicast_rcv_skb"}},
		"peek":                   {[]string{"-peek=nf_hook_slow"}, []string{"898", "nft_do_chain"}},
		"comments":               {[]string{"-comments"}, []string{"dropwatch 0.1.0, Linux 6.18.0 amd64 on node7", "1,010 drops counted"}},
		"nothing against itself": {[]string{"-top", "-diff_base=" + file}, []string{"accounting for 0, 0% of 1010 total"}},
	} {
		t.Run(name, func(t *testing.T) {
			args := append(append([]string{"tool", "pprof", "-nodefraction=0"}, test.args...), file)
			out, err := exec.Command("go", args...).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, want := range test.want {
				if !strings.Contains(string(out), want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
	for i, f := range p.Function {
		if f.ID != uint64(i+1) {
			t.Errorf("function %d has id %d", i, f.ID)
		}
	}
	if m := p.Mapping[0]; m.File != "[kernel.kallsyms]" || m.Start != 0xffffffff81000000 || m.Limit != 0xffffffff82000000 || m.BuildID != "00ff" {
		t.Errorf("first mapping %+v", m)
	}
	var keys []string
	for key := range p.Sample[0].Label {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if diff := cmp.Diff([]string{"class", "comm", "device", "layer", "netns", "proto", "reason"}, keys); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}
