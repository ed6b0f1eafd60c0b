// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

// part is one of a window of so many milliseconds.
func part(p Part, length, window float64) Part {
	p.Duration, p.Share = ms(length), float64(ms(length))/float64(ms(window))
	return p
}

func taskPart(task event.Task, length, window float64) Part {
	return part(Part{Kind: PartTask, Task: task}, length, window)
}

// diff compares stalls; the packets and frames of scenes are the same ones.
func diff(want, got *Stall) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateComparable(event.LatePacket{}), cmpopts.EquateApprox(0, 1e-9))
}

// base is a stall with what the events of a scene say as they are.
func base(s scene, from, till float64) *Stall {
	return &Stall{
		CPU: s.window.CPU, Waiter: s.window.Waiter, Start: ms(from), End: ms(till), Drained: s.window.Done, Accounted: 1,
		Late: s.packets, LateCount: s.window.Late, Polls: s.window.Polls, EdgesLost: s.window.EdgesLost,
		Samples: len(s.samples), Agreeing: len(s.samples), Confidence: High,
	}
}

func TestVerdicts(t *testing.T) {
	napiThread := event.Task{PID: napi.PID, TGID: napi.TGID, Comm: napi.Comm}
	for name, test := range map[string]struct {
		scene scene
		till  float64
		from  float64
		want  func(*Stall)
	}{
		"LONG_SYSCALL": {longSyscallScene(), 109, 10, func(s *Stall) {
			s.Verdict, s.Deferred, s.Expected = LongSyscall, true, 24
			s.Culprit = &Culprit{
				PID: 10436, TID: 10440, Comm: "cadvisor", Cgroup: 77, CgroupPath: "/kubepods.slice/pod1b2c",
				Syscall: &Syscall{Name: "read", Args: [3]uint64{9, 0xc000123000, 4096}, Path: memoryStat, Magic: kernel.CgroupMagic},
			}
			s.Parts = []Part{taskPart(cadvisor, 99, 99)}
			s.Stack, s.User = stack(readFrames...), []event.Frame{{Addr: 0x401000, Symbol: "syscall.read", Module: "cadvisor"}}
			s.HintTopic, s.Hint = TopicCgroup, "dead cgroups make such files slow: /proc/cgroups counts more cgroups than there are directories"
		}},
		"BH_OFF": {bhOffScene(), 1097, 1000, func(s *Stall) {
			s.Verdict, s.Expected = BHOff, 23
			s.Culprit = &Culprit{PID: 900, TID: 900, Comm: "spin", Syscall: &Syscall{Number: 321, Name: "bpf", Args: [3]uint64{10}}}
			s.Parts = []Part{taskPart(spinner, 97, 97)}
			s.Stack = stack("bpf_prog_1_xdp_loop", "bpf_test_run", "bpf_prog_test_run_xdp", "__sys_bpf", "do_syscall_64", "entry_SYSCALL_64_after_hwframe")
		}},
		"IRQ_OFF": {irqOffScene(), 240, 205, func(s *Stall) {
			s.Verdict, s.Confidence = IRQOff, Medium
			s.Culprit = &Culprit{PID: 900, TID: 900, Comm: "spin", Syscall: &Syscall{Number: 321, Name: "bpf"}}
			s.Parts = []Part{part(Part{Kind: PartIRQsOff}, 34.95, 35), taskPart(spinner, 0.05, 35)}
			s.Stack = stack("bpf_prog_2_irq_loop", "__sys_bpf", "do_syscall_64", "entry_SYSCALL_64_after_hwframe")
		}},
		"HARDIRQ_LONG": {hardirqScene(), 110, 50, func(s *Stall) {
			s.Verdict, s.Expected = HardirqLong, 14
			s.Culprit = &Culprit{IRQ: 24, Handler: "nvme0q1"}
			s.Parts = []Part{part(Part{Kind: PartHardirq, IRQ: 24, Handler: "nvme0q1"}, 58.5, 60), taskPart(builder, 1.5, 60)}
		}},
		"HARDIRQ_LONG, a timer before the raise": {hardTimerScene(), 90, 52, func(s *Stall) {
			s.Verdict, s.Accounted = HardirqLong, 1-0.1/38
			s.Culprit = &Culprit{Function: frame("perf_swevent_hrtimer")}
			s.Parts = []Part{
				part(Part{Kind: PartHardirq, Function: frame("perf_swevent_hrtimer")}, 37.8, 38),
				taskPart(builder, 0.1, 38), part(Part{Kind: PartUnaccounted}, 0.1, 38),
			}
		}},
		"OTHER_SOFTIRQ": {timerSoftirqScene(), 390, 310, func(s *Stall) {
			s.Verdict, s.Expected = OtherSoftirq, 19
			s.Culprit = &Culprit{Softirq: "TIMER", Function: frame("estimation_timer")}
			s.Parts = []Part{
				part(Part{Kind: PartSoftirq, Softirq: "TIMER", Function: frame("estimation_timer")}, 79, 80),
				part(Part{Kind: PartIdle}, 0.5, 80), part(Part{Kind: PartSoftirq, Softirq: "TIMER"}, 0.5, 80),
			}
			s.Stack = stack(timerFrames[:5]...)
			s.HintTopic = TopicIPVS
			s.Hint = "IPVS estimates the rates of all its services here: ipvsadm -Ln counts them; from 5.16 on net.ipv4.vs.run_estimation=0 stops it, from 6.2 on a thread does it"
		}},
		"RT_STARVE": {rtStarveScene(), 80, 20, func(s *Stall) {
			s.Verdict, s.Thread, s.Expected = RTStarve, napiThread, 14
			s.Culprit = &Culprit{PID: 900, TID: 900, Comm: "spin", Policy: "SCHED_FIFO", Priority: 50}
			s.Parts = []Part{taskPart(spinner, 60, 60)}
			s.HintTopic, s.Hint = TopicRealTime, "SCHED_FIFO priority 50 comes before the network's thread; chrt changes that"
		}},
		"CPU_CONTENTION": {contentionScene(), 80, 20, func(s *Stall) {
			s.Verdict, s.Thread, s.Expected = CPUContention, napiThread, 14
			s.Culprit = &Culprit{PID: 900, TID: 900, Comm: "spin"}
			s.Parts = []Part{taskPart(spinner, 40, 60), taskPart(builder, 20, 60)}
		}},
		"NETRX_BUDGET": {floodScene(), 420, 401, func(s *Stall) {
			s.Verdict, s.Expected = NetRXBudget, 4
			s.Culprit = &Culprit{Softirq: "NET_RX", Device: "veth1"}
			s.Parts = []Part{part(Part{Kind: PartSoftirq, Softirq: "NET_RX"}, 19, 19)}
			s.Stack = stack("__netif_receive_skb_core", "process_backlog", "__napi_poll", "net_rx_action", "handle_softirqs")
			s.PerPacket = ms(19) / 7000
			s.HintTopic, s.Hint = TopicBudget, "net.core.netdev_budget and netdev_budget_usecs limit what one run handles"
		}},
		"NETRX_SLOW": {slowScene(), 540, 500, func(s *Stall) {
			s.Verdict, s.Expected = NetRXSlow, 9
			s.Culprit = &Culprit{Softirq: "NET_RX", Device: "eth0", Function: frame("nft_do_chain")}
			s.Parts = []Part{part(Part{Kind: PartSoftirq, Softirq: "NET_RX"}, 40, 40)}
			s.Stack = stack(
				"nft_payload_eval", "nft_do_chain", "nft_do_chain_ipv4", "nf_hook_slow", "ip_rcv", "__netif_receive_skb_one_core",
				"process_backlog", "__napi_poll", "net_rx_action", "handle_softirqs",
			)
			s.PerPacket = ms(0.4)
		}},
		"STEAL": {stealScene(), 240, 205, func(s *Stall) {
			s.Verdict, s.Confidence = Steal, Medium
			s.Parts = []Part{part(Part{Kind: PartStolen}, 25, 35), part(Part{Kind: PartIRQsOff}, 9.95, 35), taskPart(spinner, 0.05, 35)}
			s.HintTopic, s.Hint = TopicHypervisor, "ask the hypervisor: the host's load, or a limit on this machine's CPU time"
		}},
		"IDLE_EXIT": {idleScene(800, 7), 807, 800, func(s *Stall) {
			s.Verdict, s.Confidence, s.Expected = IdleExit, Low, 1
			s.Parts = []Part{part(Part{Kind: PartIdle}, 7, 7)}
		}},
		"TICK_DEFERRAL": {tickScene(), 606, 600, func(s *Stall) {
			s.Verdict, s.Confidence, s.Expected = TickDeferral, Medium, 1
			s.Culprit = &Culprit{PID: 70, TID: 70, Comm: "cc1", Syscall: &Syscall{Name: "read", Args: [3]uint64{3}, Path: "/proc/slabinfo"}}
			s.Parts = []Part{taskPart(builder, 6, 6)}
			s.Stack = stack(readFrames...)
			s.HintTopic, s.Hint = TopicSlab, "reading slabinfo walks lists of the whole memory; who reads it, and how often?"
		}},
		"UNEXPLAINED": {unexplainedScene(), 750, 700, func(s *Stall) {
			s.Verdict, s.Confidence, s.Agreeing, s.Expected, s.Accounted = Unexplained, Low, 0, 12, 0.2
			s.Parts = []Part{part(Part{Kind: PartUnaccounted}, 40, 50), taskPart(builder, 10, 50)}
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
