// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func TestFold(t *testing.T) {
	for name, test := range map[string]struct {
		options StackOptions
		want    string
	}{
		"as it is": {StackOptions{}, `[idle];udp_unicast_rcv_skb;NO_SOCKET 2
[not sampled];enqueue_to_backlog;CPU_BACKLOG 8
[process: a\x3bb];__x64_sys_sendto;nf_hook_slow;nft_do_chain;NETFILTER_DROP 292
[softirq];[no stack];nft_do_chain;NETFILTER_DROP 102
[softirq];nf_hook_slow;nft_do_chain;NETFILTER_DROP 606
`},
		"context as the root": {StackOptions{Root: dimensions(t, "context"), NoReason: true}, `[idle];udp_unicast_rcv_skb 2
[not sampled];enqueue_to_backlog 8
[process: a\x3bb];__x64_sys_sendto;nf_hook_slow;nft_do_chain 292
[softirq];[no stack];nft_do_chain 102
[softirq];nf_hook_slow;nft_do_chain 606
`},
		"device and task": {StackOptions{Root: dimensions(t, "device,comm")}, `[device: eth0];[comm: a\x3bb];[process: a\x3bb];__x64_sys_sendto;nf_hook_slow;nft_do_chain;NETFILTER_DROP 292
[device: eth0];[comm: curl];[softirq];[no stack];nft_do_chain;NETFILTER_DROP 102
[device: eth0];[comm: curl];[softirq];nf_hook_slow;nft_do_chain;NETFILTER_DROP 606
[device: if9];[not sampled];[not sampled];enqueue_to_backlog;CPU_BACKLOG 8
[device: lo];[comm: swapper/1];[idle];udp_unicast_rcv_skb;NO_SOCKET 2
`},
		"reason as the root": {StackOptions{Root: dimensions(t, "reason,netns")}, `CPU_BACKLOG;[netns: -];[not sampled];enqueue_to_backlog 8
NETFILTER_DROP;[netns: host];[process: a\x3bb];__x64_sys_sendto;nf_hook_slow;nft_do_chain 292
NETFILTER_DROP;[netns: host];[softirq];[no stack];nft_do_chain 102
NETFILTER_DROP;[netns: host];[softirq];nf_hook_slow;nft_do_chain 606
NO_SOCKET;[netns: host];[idle];udp_unicast_rcv_skb 2
`},
	} {
		t.Run(name, func(t *testing.T) {
			stacks, err := Fold(sample(), test.options)
			if err != nil {
				t.Fatal(err)
			}
			var b bytes.Buffer
			if err := WriteFolded(&b, stacks); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, b.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
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
		drops, parts uint64
		t            event.Totals
		l            event.Loss
		missing      uint64
	}{
		"0 drops counted, 0 unwound; nothing lost": {0, 0, event.Totals{}, event.Loss{Missed: &none}, 0},
		"1,234,567 drops counted, 1,000 unwound, 1,233,567 not unwound; nothing lost": {
			1234567, 0, event.Totals{Sampled: 1000, Read: 1000}, event.Loss{Missed: &none}, 0},
		"5 drops counted, 4 unwound, 1 not unwound; lost: 2 samples to a full ring buffer, 1 sample not read, " +
			"1 stack not unwound, 3 drops missed in the middle of another": {
			5, 0, event.Totals{Sampled: 5, Read: 4}, event.Loss{RingFull: 2, StackFailed: 1, Missed: &some}, 0},
		"5 drops counted, 5 unwound; lost: missed drops not available": {5, 0, event.Totals{Sampled: 5, Read: 5}, event.Loss{}, 0},
		"9 drops counted, 7 unwound, 2 not unwound; lost: 4 samples missing from the recording": {
			9, 0, event.Totals{Sampled: 7, Read: 7}, event.Loss{Missed: &none}, 4},
		"5 drops and 130 parts of packets counted, 100 unwound, 35 not unwound; nothing lost": {
			5, 130, event.Totals{Sampled: 100, Read: 100}, event.Loss{Missed: &none}, 0},
	} {
		if got := Accounting(test.drops, test.parts, test.t, test.l, test.missing); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
