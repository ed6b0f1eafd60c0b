// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

const memoryStat = "/sys/fs/cgroup/memory/kubepods/burstable/pod1b2c/0123456789abcdef/memory.stat"

// longSyscallScene is what cadvisor does on a kernel before 6.5.
func longSyscallScene() scene {
	w := raised(10, 109, interrupted(cadvisor, 0x10000)) // the raise came in an interrupt
	w.Late, w.Done = 10, ms(110)
	at := interrupted(cadvisor, 0x10000)
	at.Task.Cgroup = 77
	s := scene{window: w, samples: sampled(w, 13, 24, event.CPUSample{
		At: at, Cgroup: "/kubepods.slice/pod1b2c", Stack: ticked(readFrames),
		Syscall: &event.Syscall{Args: [3]uint64{9, 0xc000123000, 4096}, Path: memoryStat, Magic: kernel.CgroupMagic},
		User:    []event.Frame{{Addr: 0x401000, Symbol: "syscall.read", Module: "cadvisor"}},
	})}
	for i := range 10 {
		s.packets = append(s.packets, packet(w, 10+10*float64(i), 109.1))
	}
	return s
}

// bhOffScene is BPF_PROG_TEST_RUN of a long XDP program.
func bhOffScene() scene {
	w := raised(1000, 1097, interrupted(spinner, 0x10200))
	s := scene{window: w, samples: sampled(w, 1004, 23, event.CPUSample{
		At: interrupted(spinner, 0x10201), Syscall: &event.Syscall{Number: 321, Args: [3]uint64{10}},
		Stack: ticked([]string{"bpf_prog_1_xdp_loop", "bpf_test_run", "bpf_prog_test_run_xdp", "__sys_bpf", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"}),
	})}
	s.packets = []event.LatePacket{packet(w, 1000, 1097.1)}
	return s
}

// irqOffScene has the raise at the end: the interrupt that does it came late.
func irqOffScene() scene {
	w := raised(200, 240, interrupted(spinner, 0x10000))
	w.Raised, w.Late = ms(239.9), 2
	w.Blocked = &event.Blocked{From: ms(200), Till: ms(239.95), Late: true, Function: frame("tick_nohz_handler")}
	s := scene{window: w, samples: sampled(w, 239.96, 1, event.CPUSample{
		At: interrupted(spinner, 0x10000), Late: ms(39.96), Syscall: &event.Syscall{Number: 321},
		Stack: ticked([]string{"handle_softirqs", "__irq_exit_rcu", "irq_exit_rcu", "sysvec_call_function_single", "asm_sysvec_call_function_single", "bpf_prog_2_irq_loop", "__sys_bpf", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"}),
	})}
	s.packets = []event.LatePacket{packet(w, 205, 240.1), packet(w, 210, 240.1)}
	return s
}

// hardirqScene is a storage interrupt whose handler runs long after the raise.
func hardirqScene() scene {
	w := raised(50, 110, interrupted(builder, 0x10000))
	w.Edges = []event.Edge{irqEdge(51, 24, "nvme0q1"), edge(109.5, event.EdgeIRQExit)}
	return scene{window: w, packets: []event.LatePacket{packet(w, 0, 110.1)}}
}

// hardTimerScene is a perf event's program that runs long before the raise.
func hardTimerScene() scene {
	w := raised(50, 90, interrupted(builder, 0x10000))
	w.Raised = ms(89.9)
	w.Blocked = &event.Blocked{From: ms(50), Till: ms(89.8), Function: frame("perf_swevent_hrtimer")}
	return scene{window: w, packets: []event.LatePacket{packet(w, 52, 90.1)}}
}

// timerSoftirqScene is IPVS' estimation of many services.
func timerSoftirqScene() scene {
	at := inVector(idleTask, kernel.TimerSoftirq, 300)
	at.Timer, at.TimerSince = frame("estimation_timer"), ms(300.5)
	w := raised(310, 390, at)
	w.Edges = []event.Edge{edge(389, event.EdgeTimerExit), vectorEdge(389.5, event.EdgeSoftirqExit, kernel.TimerSoftirq)}
	s := scene{window: w, samples: sampled(w, 313, 19, event.CPUSample{At: at, Stack: ticked(timerFrames)})}
	for i := range s.samples {
		s.samples[i].Pending = 0 // taken down before the vectors are served
	}
	s.packets = []event.LatePacket{packet(w, 0, 390.1)}
	return s
}

// threadScene is a NAPI thread behind others.
func threadScene(edges ...event.Edge) scene {
	w := raised(20, 80, interrupted(spinner, 0))
	w.Waiter, w.ThreadPID = event.WaiterThread, napi.PID
	w.Edges = append([]event.Edge{wakeEdge(20, napi)}, edges...)
	w.Edges = append(w.Edges, switchEdge(80, napi, 0, 120))
	return scene{window: w, packets: []event.LatePacket{packet(w, 0, 80.1)}}
}

// rtStarveScene has a SCHED_FIFO spinner before the thread.
func rtStarveScene() scene {
	s := threadScene()
	s.window.At.Policy, s.window.At.Priority = kernel.SchedFIFO, 49
	at := s.window.At
	at.PreemptCount = 0x10000
	s.samples = sampled(s.window, 23, 14, event.CPUSample{At: at})
	return s
}

// contentionScene has ordinary tasks before the thread.
func contentionScene() scene {
	s := threadScene(switchEdge(50, builder, 0, 120), switchEdge(70, spinner, 0, 120))
	for _, part := range []struct {
		from float64
		n    int
		task event.Task
	}{{23, 7, spinner}, {51, 5, builder}, {71, 2, spinner}} {
		at := interrupted(part.task, 0x10000)
		s.samples = append(s.samples, sampled(s.window, part.from, part.n, event.CPUSample{At: at})...)
	}
	return s
}

// floodScene is a flood with netdev_budget = 1.
func floodScene() scene {
	at := interrupted(ksoftirq1, 0x101)
	at.Vector, at.VectorSince, at.Kthread = kernel.NetRXSoftirq, ms(400), true
	w := raised(400, 400, at)
	w.Waiter, w.Raised, w.Done, w.Late = event.WaiterPackets, 0, ms(420), 900
	w.Polls = event.Polls{Runs: 120, Polls: 120, Packets: 7000, Full: 100, Squeezed: 119, Device: "veth1"}
	s := scene{window: w, samples: sampled(w, 403, 4, event.CPUSample{At: at, Stack: ticked([]string{
		"__netif_receive_skb_core", "process_backlog", "__napi_poll", "net_rx_action", "handle_softirqs", "run_ksoftirqd",
	})})}
	s.packets = []event.LatePacket{packet(w, 401, 408), packet(w, 402, 412)}
	return s
}

// slowScene is a chain of fifty thousand rules.
func slowScene() scene {
	at := inVector(builder, kernel.NetRXSoftirq, 500)
	w := raised(500, 500, at)
	w.Waiter, w.Raised, w.Done, w.Late = event.WaiterPackets, 0, ms(540), 90
	w.Polls = event.Polls{Runs: 2, Polls: 2, Packets: 100, Full: 1, Squeezed: 1, Device: "eth0"}
	s := scene{window: w, samples: sampled(w, 502, 10, event.CPUSample{At: at, Stack: ticked([]string{
		"nft_payload_eval", "nft_do_chain", "nft_do_chain_ipv4", "nf_hook_slow", "ip_rcv", "__netif_receive_skb_one_core",
		"process_backlog", "__napi_poll", "net_rx_action", "handle_softirqs", "do_softirq",
	})})}
	s.packets = []event.LatePacket{packet(w, 500, 520), packet(w, 501, 540)}
	return s
}

// stealScene is a virtual CPU that did not run.
func stealScene() scene {
	s := irqOffScene()
	s.window.Stolen = ms(30)
	return s
}

// idleScene is a CPU that slept over the raise.
func idleScene(from float64, length float64) scene {
	w := raised(from, from+length, interrupted(idleTask, 0x10000))
	w.At.Kthread = true
	return scene{window: w, packets: []event.LatePacket{packet(w, from, from+length+0.1)}}
}

// tickScene is a raise in a system call on a kernel from 6.5 on: the tick drains it.
func tickScene() scene {
	w := raised(600, 606, interrupted(builder, 0x1))
	s := scene{window: w, samples: sampled(w, 605.9, 1, event.CPUSample{
		At: interrupted(builder, 0x10000), Stack: ticked(readFrames), Syscall: &event.Syscall{Path: "/proc/slabinfo", Args: [3]uint64{3}},
	})}
	s.packets = []event.LatePacket{packet(w, 600, 606.1)}
	return s
}

// unexplainedScene lost its edges and most of its samples.
func unexplainedScene() scene {
	w := raised(700, 750, interrupted(builder, 0x10000))
	w.Edges, w.EdgesLost = []event.Edge{switchEdge(710, spinner, 0, 120)}, 40
	s := scene{window: w, samples: sampled(w, 703, 2, event.CPUSample{At: interrupted(builder, 0x10200)})}
	s.packets = []event.LatePacket{packet(w, 700, 750.1)}
	return s
}
