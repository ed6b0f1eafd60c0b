// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// part is one of a window of so many milliseconds.
func part(p stall.Part, length, window float64) stall.Part {
	p.Duration, p.Share = ms(length), float64(ms(length))/float64(ms(window))
	return p
}

func taskPart(task event.Task, length, window float64) stall.Part {
	return part(stall.Part{Kind: stall.PartTask, Task: task}, length, window)
}

// diff compares stalls; the packets and frames of scenes are the same ones.
func diff(want, got *stall.Stall) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(event.LatePacket{}), cmpopts.EquateApprox(0, 1e-9))
}

// base is a stall with what the events of a scene say as they are.
func base(s scene, from, till float64) *stall.Stall {
	return &stall.Stall{
		CPU: s.window.CPU, Waiter: s.window.Waiter, Start: ms(from), End: ms(till), Drained: s.window.Done, Accounted: 1,
		Late: s.packets, LateCount: s.window.Late, Polls: s.window.Polls, EdgesLost: s.window.EdgesLost,
		Samples: len(s.samples), Agreeing: len(s.samples), Confidence: stall.High,
	}
}

func TestVerdicts(t *testing.T) {
	napiThread := event.Task{PID: napi.PID, TGID: napi.TGID, Comm: napi.Comm}
	for name, test := range map[string]struct {
		scene scene
		till  float64
		from  float64
		want  func(*stall.Stall)
	}{
		"LONG_SYSCALL": {longSyscallScene(), 109, 10, func(s *stall.Stall) {
			s.Verdict, s.Deferred, s.Expected = stall.LongSyscall, true, 24
			s.Culprit = &stall.Culprit{
				PID: 10436, TID: 10440, Comm: "cadvisor", Cgroup: 77, CgroupPath: "/kubepods.slice/pod1b2c",
				Syscall: &stall.Syscall{Name: "read", Args: [3]uint64{9, 0xc000123000, 4096}, Path: memoryStat, Magic: kernel.CgroupMagic},
			}
			s.Parts = []stall.Part{taskPart(cadvisor, 99, 99)}
			s.Stack, s.User = stack(readFrames...), []event.Frame{{Addr: 0x401000, Symbol: "syscall.read", Module: "cadvisor"}}
			s.HintTopic, s.Hint = stall.TopicCgroup, "dead cgroups make such files slow: /proc/cgroups counts more cgroups than there are directories"
		}},
		"BH_OFF": {bhOffScene(), 1097, 1000, func(s *stall.Stall) {
			s.Verdict, s.Expected = stall.BHOff, 23
			s.Culprit = &stall.Culprit{PID: 900, TID: 900, Comm: "spin", Syscall: &stall.Syscall{Number: 321, Name: "bpf", Args: [3]uint64{10}}}
			s.Parts = []stall.Part{taskPart(spinner, 97, 97)}
			s.Stack = stack("bpf_prog_1_xdp_loop", "bpf_test_run", "bpf_prog_test_run_xdp", "__sys_bpf", "do_syscall_64", "entry_SYSCALL_64_after_hwframe")
		}},
		"IRQ_OFF": {irqOffScene(), 240, 205, func(s *stall.Stall) {
			s.Verdict, s.Confidence = stall.IRQOff, stall.Medium
			s.Culprit = &stall.Culprit{PID: 900, TID: 900, Comm: "spin", Syscall: &stall.Syscall{Number: 321, Name: "bpf"}}
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartIRQsOff}, 34.95, 35), taskPart(spinner, 0.05, 35)}
			s.Stack = stack("bpf_prog_2_irq_loop", "__sys_bpf", "do_syscall_64", "entry_SYSCALL_64_after_hwframe")
		}},
		"HARDIRQ_LONG": {hardirqScene(), 110, 50, func(s *stall.Stall) {
			s.Verdict, s.Expected = stall.HardirqLong, 14
			s.Culprit = &stall.Culprit{IRQ: 24, Handler: "nvme0q1"}
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartHardirq, IRQ: 24, Handler: "nvme0q1"}, 58.5, 60), taskPart(builder, 1.5, 60)}
		}},
		"HARDIRQ_LONG, a timer before the raise": {hardTimerScene(), 90, 52, func(s *stall.Stall) {
			s.Verdict, s.Accounted = stall.HardirqLong, 1-0.1/38
			s.Culprit = &stall.Culprit{Function: frame("perf_swevent_hrtimer")}
			s.Parts = []stall.Part{
				part(stall.Part{Kind: stall.PartHardirq, Function: frame("perf_swevent_hrtimer")}, 37.8, 38),
				taskPart(builder, 0.1, 38), part(stall.Part{Kind: stall.PartUnaccounted}, 0.1, 38),
			}
		}},
		"OTHER_SOFTIRQ": {timerSoftirqScene(), 390, 310, func(s *stall.Stall) {
			s.Verdict, s.Expected = stall.OtherSoftirq, 19
			s.Culprit = &stall.Culprit{Softirq: "TIMER", Function: frame("estimation_timer")}
			s.Parts = []stall.Part{
				part(stall.Part{Kind: stall.PartSoftirq, Softirq: "TIMER", Function: frame("estimation_timer")}, 79, 80),
				part(stall.Part{Kind: stall.PartIdle}, 0.5, 80), part(stall.Part{Kind: stall.PartSoftirq, Softirq: "TIMER"}, 0.5, 80),
			}
			s.Stack = stack(timerFrames[:5]...)
			s.HintTopic = stall.TopicIPVS
			s.Hint = "IPVS estimates the rates of all its services here: ipvsadm -Ln counts them; from 5.16 on net.ipv4.vs.run_estimation=0 stops it, from 6.2 on a thread does it"
		}},
		"RT_STARVE": {rtStarveScene(), 80, 20, func(s *stall.Stall) {
			s.Verdict, s.Thread, s.Expected = stall.RTStarve, napiThread, 14
			s.Culprit = &stall.Culprit{PID: 900, TID: 900, Comm: "spin", Policy: "SCHED_FIFO", Priority: 50}
			s.Parts = []stall.Part{taskPart(spinner, 60, 60)}
			s.HintTopic, s.Hint = stall.TopicRealTime, "SCHED_FIFO priority 50 comes before the network's thread; chrt changes that"
		}},
		"CPU_CONTENTION": {contentionScene(), 80, 20, func(s *stall.Stall) {
			s.Verdict, s.Thread, s.Expected = stall.CPUContention, napiThread, 14
			s.Culprit = &stall.Culprit{PID: 900, TID: 900, Comm: "spin"}
			s.Parts = []stall.Part{taskPart(spinner, 40, 60), taskPart(builder, 20, 60)}
		}},
		"NETRX_BUDGET": {floodScene(), 420, 401, func(s *stall.Stall) {
			s.Verdict, s.Expected = stall.NetRXBudget, 4
			s.Culprit = &stall.Culprit{Softirq: "NET_RX", Device: "veth1"}
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartSoftirq, Softirq: "NET_RX"}, 19, 19)}
			s.Stack = stack("__netif_receive_skb_core", "process_backlog", "__napi_poll", "net_rx_action", "handle_softirqs")
			s.PerPacket = ms(19) / 7000
			s.HintTopic, s.Hint = stall.TopicBudget, "net.core.netdev_budget and netdev_budget_usecs limit what one run handles"
		}},
		"NETRX_SLOW": {slowScene(), 540, 500, func(s *stall.Stall) {
			s.Verdict, s.Expected = stall.NetRXSlow, 9
			s.Culprit = &stall.Culprit{Softirq: "NET_RX", Device: "eth0", Function: frame("nft_do_chain")}
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartSoftirq, Softirq: "NET_RX"}, 40, 40)}
			s.Stack = stack(
				"nft_payload_eval", "nft_do_chain", "nft_do_chain_ipv4", "nf_hook_slow", "ip_rcv", "__netif_receive_skb_one_core",
				"process_backlog", "__napi_poll", "net_rx_action", "handle_softirqs",
			)
			s.PerPacket = ms(0.4)
		}},
		"STEAL": {stealScene(), 240, 205, func(s *stall.Stall) {
			s.Verdict, s.Confidence = stall.Steal, stall.Medium
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartStolen}, 25, 35), part(stall.Part{Kind: stall.PartIRQsOff}, 9.95, 35), taskPart(spinner, 0.05, 35)}
			s.HintTopic, s.Hint = stall.TopicHypervisor, "ask the hypervisor: the host's load, or a limit on this machine's CPU time"
		}},
		"IDLE_EXIT": {idleScene(800, 7), 807, 800, func(s *stall.Stall) {
			s.Verdict, s.Confidence, s.Expected = stall.IdleExit, stall.Low, 1
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartIdle}, 7, 7)}
		}},
		"TICK_DEFERRAL": {tickScene(), 606, 600, func(s *stall.Stall) {
			s.Verdict, s.Confidence, s.Expected = stall.TickDeferral, stall.Medium, 1
			s.Culprit = &stall.Culprit{PID: 70, TID: 70, Comm: "cc1", Syscall: &stall.Syscall{Name: "read", Args: [3]uint64{3}, Path: "/proc/slabinfo"}}
			s.Parts = []stall.Part{taskPart(builder, 6, 6)}
			s.Stack = stack(readFrames...)
			s.HintTopic, s.Hint = stall.TopicSlab, "reading slabinfo walks lists of the whole memory; who reads it, and how often?"
		}},
		"UNEXPLAINED": {unexplainedScene(), 750, 700, func(s *stall.Stall) {
			s.Verdict, s.Confidence, s.Agreeing, s.Expected, s.Accounted = stall.Unexplained, stall.Low, 0, 12, 0.2
			s.Parts = []stall.Part{part(stall.Part{Kind: stall.PartUnaccounted}, 40, 50), taskPart(builder, 10, 50)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want := base(test.scene, test.from, test.till)
			test.want(want)
			got := test.scene.play(New(Config{Arch: "amd64"}))
			if d := diff(want, got); d != "" {
				t.Errorf("stall (-want +got):\n%s", d)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Error(err)
			}
		})
	}
}
