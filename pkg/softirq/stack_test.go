// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func names(frames []*event.Frame) []string {
	var all []string
	for _, f := range frames {
		all = append(all, f.Name())
	}
	return all
}

// arm64Tick is the sampler's own frames on arm64 and 6.12.
var arm64Tick = []string{
	"bpf_prog_1_hrtimer_expire_entry", "bpf_trace_run1", "__hrtimer_run_queues", "hrtimer_interrupt", "arch_timer_handler_phys",
	"handle_percpu_devid_irq", "generic_handle_domain_irq", "gic_handle_irq", "call_on_irq_stack", "do_interrupt_handler",
	"el1_interrupt", "el1h_64_irq_handler", "el1h_64_irq",
}

func TestTrim(t *testing.T) {
	softirq := []string{"f", "call_timer_fn", "handle_softirqs", "irq_exit_rcu", "sysvec_apic_timer_interrupt", "asm_sysvec_apic_timer_interrupt", "g"}
	for name, test := range map[string]struct{ frames, want []string }{
		"a task":                     {append(tickFrames[:7:7], readFrames...), readFrames},
		"a task, trimmed already":    {readFrames, readFrames},
		"user space":                 {tickFrames, nil},
		"a softirq":                  {append(tickFrames[:7:7], softirq...), softirq},
		"a softirq, trimmed already": {softirq, softirq},
		"a timer of the HRTIMER softirq": {
			[]string{"f", "__hrtimer_run_queues", "hrtimer_run_softirq", "handle_softirqs", "irq_exit_rcu", "asm_sysvec_apic_timer_interrupt", "g"},
			[]string{"f", "__hrtimer_run_queues", "hrtimer_run_softirq", "handle_softirqs", "irq_exit_rcu", "asm_sysvec_apic_timer_interrupt", "g"},
		},
		"before the first softirq": {
			append(tickFrames[:7:7], "handle_softirqs", "__irq_exit_rcu", "irq_exit_rcu", "sysvec_call_function_single", "asm_sysvec_call_function_single", "g"),
			[]string{"g"},
		},
		"arm64":                    {append(arm64Tick[:13:13], "g", "el0_svc", "el0t_64_sync_handler", "el0t_64_sync"), []string{"g", "el0_svc", "el0t_64_sync_handler", "el0t_64_sync"}},
		"an interrupt, no sampler": {[]string{"f", "asm_common_interrupt", "g"}, []string{"f", "asm_common_interrupt", "g"}},
		"nothing":                  {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(test.want, names(trim(stack(test.frames...).Frames))); d != "" {
				t.Errorf("frames (-want +got):\n%s", d)
			}
		})
	}
}

func TestCommonStack(t *testing.T) {
	other := &event.Frame{Addr: frame("vfs_read").Addr + 9, Symbol: "vfs_read", Offset: 9}
	read, later := stack("vfs_read", "ksys_read"), &event.Stack{Frames: []*event.Frame{other, frame("ksys_read")}}
	user := []event.Frame{{Addr: 1}}
	inUser := event.CPUSample{Stack: stack(tickFrames...), User: user}
	got, gotUser := commonStack([]event.CPUSample{{Stack: stack("schedule")}, {}, {Stack: read}, {Stack: later, User: user}, inUser})
	if got != read || &gotUser[0] != &user[0] {
		t.Errorf("stack %v, user %v", names(got.Frames), gotUser)
	}
	if got, gotUser := commonStack([]event.CPUSample{{Stack: read}, inUser, inUser}); got != nil || len(gotUser) != 1 {
		t.Errorf("stack %v, user %v, in user space mostly", got, gotUser)
	}
	if got, gotUser := commonStack(nil); got != nil || gotUser != nil {
		t.Errorf("stack %v, user %v of no samples", got, gotUser)
	}
}

func TestVectorFunction(t *testing.T) {
	for want, frames := range map[string][]string{
		"estimation_timer":   timerFrames,
		"usb_giveback_urb":   {"usb_hcd_giveback_urb", "usb_giveback_urb", "tasklet_action_common.constprop.0", "tasklet_action", "handle_softirqs", "g"},
		"file_free_rcu":      {"kmem_cache_free", "file_free_rcu", "rcu_do_batch", "rcu_core", "__do_softirq", "g"},
		"":                   {"rcu_core", "handle_softirqs", "g"},
		"bpf_timer_cb":       {"bpf_prog_1_f", "bpf_timer_cb", "__hrtimer_run_queues", "hrtimer_run_softirq", "handle_softirqs"},
		"scsi_io_completion": {"scsi_io_completion", "blk_done_softirq", "handle_softirqs"},
	} {
		got := ""
		if f := vectorFunction(stack(frames...)); f != nil {
			got = f.Name()
		}
		if got != want {
			t.Errorf("%v: %q, want %q", frames, got, want)
		}
	}
	if f := vectorFunction(stack("g")); f != nil {
		t.Errorf("%v outside of softirqs", f)
	}
}

func TestPacketFunction(t *testing.T) {
	for want, frames := range map[string][]string{
		"nft_do_chain":   {"nft_payload_eval", "nft_do_chain", "ip_rcv", "net_rx_action"},
		"bpf_prog_7_xdp": {"bpf_loop", "bpf_prog_7_xdp", "veth_xdp_rcv_skb", "nft_do_chain"},
		"csum_partial":   {"csum_partial", "ip_rcv"},
	} {
		if f := packetFunction(stack(frames...)); f.Name() != want {
			t.Errorf("%v: %q, want %q", frames, f.Name(), want)
		}
	}
	if f := packetFunction(stack()); f != nil {
		t.Errorf("%v of no frames", f)
	}
}
