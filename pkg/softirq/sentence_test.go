// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

func TestSentence(t *testing.T) {
	bound := change(plain(149.95, 150, 0, packet(cpu1, 0, 150.1)).only(0), func(w *event.Window) {
		w.Start, w.Blocked = ms(100), &event.Blocked{From: ms(100), Till: ms(149.9), Late: true, Function: frame("tick_nohz_handler")}
	})
	hostile := bhOffScene()
	for i := range hostile.samples {
		hostile.samples[i].Syscall = &event.Syscall{Path: "/tmp/\x1b[2J\u202e"}
	}
	kernelWork := bhOffScene()
	for i := range kernelWork.samples {
		kernelWork.samples[i].Syscall = nil
	}
	threadSyscall := change(rtStarveScene(), func(w *event.Window) { w.At.Policy = 0 })
	for i := range threadSyscall.samples {
		s := &threadSyscall.samples[i]
		s.At.Policy, s.Stack, s.Syscall = 0, ticked(readFrames), &event.Syscall{Args: [3]uint64{7}}
	}
	for name, test := range map[string]struct {
		scene scene
		want  string
	}{
		"LONG_SYSCALL":   {longSyscallScene(), "NET_RX on CPU 1 waited 99 ms because cadvisor (pid 10436) was in read(/sys/fs/cgroup/memory/…/memory.stat) and ksoftirqd/1 could not run; 10 packets delayed"},
		"BH_OFF":         {bhOffScene(), "NET_RX on CPU 1 waited 97 ms because spin (pid 900) was in bpf() with bottom halves disabled; 1 packet delayed"},
		"IRQ_OFF":        {irqOffScene(), "NET_RX on CPU 1 waited 35 ms because interrupts were off until they came back on in spin (pid 900); 2 packets delayed"},
		"HARDIRQ_LONG":   {hardirqScene(), "NET_RX on CPU 1 waited 60 ms because the handler of interrupt 24 (nvme0q1) ran for 58 ms; 1 packet delayed"},
		"a hard timer":   {hardTimerScene(), "NET_RX on CPU 1 waited 38 ms because timer perf_swevent_hrtimer ran for 38 ms; 1 packet delayed"},
		"OTHER_SOFTIRQ":  {timerSoftirqScene(), "NET_RX on CPU 1 waited 80 ms because estimation_timer in softirq TIMER ran for 80 ms; 1 packet delayed"},
		"RT_STARVE":      {rtStarveScene(), "napi/veth0-1 on CPU 1 waited 60 ms because real-time task spin (pid 900), SCHED_FIFO priority 50, had the CPU; 1 packet delayed"},
		"CPU_CONTENTION": {contentionScene(), "napi/veth0-1 on CPU 1 waited 60 ms because other tasks had the CPU: spin (pid 900) 67 %, cc1 (pid 70) 33 %; 1 packet delayed"},
		"NETRX_BUDGET":   {floodScene(), "Packets on CPU 1 waited up to 19 ms because NET_RX used up its budget in 119 of 120 runs on veth1; 900 packets delayed"},
		"NETRX_SLOW":     {slowScene(), "Packets on CPU 1 waited up to 40 ms because NET_RX took 400 µs for a packet in nft_do_chain on eth0; 90 packets delayed"},
		"STEAL":          {stealScene(), "NET_RX on CPU 1 waited 35 ms because the hypervisor kept the CPU for at least 25 ms; 2 packets delayed"},
		"IDLE_EXIT":      {idleScene(800, 7), "NET_RX on CPU 1 waited 7.0 ms, possibly because the CPU slept and was slow to wake up; 1 packet delayed"},
		"TICK_DEFERRAL":  {tickScene(), "NET_RX on CPU 1 waited 6.0 ms because no interrupt came before the tick while cc1 (pid 70) was in read(/proc/slabinfo); 1 packet delayed"},
		"UNEXPLAINED":    {unexplainedScene(), "NET_RX on CPU 1 waited 50 ms; 80 % of that is unaccounted for, so nobody is blamed; 1 packet delayed"},
		"all is accounted for, and not explained": {
			idleScene(100, 30), "NET_RX on CPU 1 waited 30 ms; what kept it is not known; 1 packet delayed",
		},
		"packets may have come later": {bound, "NET_RX on CPU 1 waited up to 50 ms because interrupts were off until they came back on in cc1 (pid 70); 1 packet delayed"},
		"no packet seen": {
			change(plain(100, 150, 1<<kernel.NetRXSoftirq), func(*event.Window) {}),
			"NET_RX on CPU 1 waited 50 ms because other tasks had the CPU: cc1 (pid 70) 100 %",
		},
		"hostile names":               {hostile, `NET_RX on CPU 1 waited 97 ms because spin (pid 900) was in read(/tmp/\x1b[2J\xe2\x80\xae) with bottom halves disabled; 1 packet delayed`},
		"no system call":              {kernelWork, "NET_RX on CPU 1 waited 97 ms because spin (pid 900) was in the kernel with bottom halves disabled; 1 packet delayed"},
		"a system call and a thread":  {threadSyscall, "napi/veth0-1 on CPU 1 waited 60 ms because spin (pid 900) was in read(fd 7) and did not leave the CPU; 1 packet delayed"},
		"a handler without name":      {change(hardirqScene(), func(w *event.Window) { w.Edges[0].Handler, w.Edges[0].IRQ = "", 0 }), "NET_RX on CPU 1 waited 60 ms because an interrupt's handler ran for 58 ms; 1 packet delayed"},
		"a thread nobody saw woken":   {change(rtStarveScene(), func(w *event.Window) { w.Edges = nil }), "Network thread 55 on CPU 1 waited 60 ms because real-time task spin (pid 900), SCHED_FIFO priority 50, had the CPU; 1 packet delayed"},
		"slow, nobody counts packets": {change(slowScene(), func(w *event.Window) { w.Polls = event.Polls{} }), "Packets on CPU 1 waited up to 40 ms because NET_RX took long in nft_do_chain; 90 packets delayed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.scene.play(New(Config{Arch: "amd64"}))
			if s == nil {
				t.Fatal("no stall")
			}
			if got := s.Sentence(); got != test.want {
				t.Errorf("%s: got\n%s, want\n%s", s.Verdict, got, test.want)
			}
		})
	}
}

func TestHints(t *testing.T) {
	onFile := func(path string, magic uint32) scene {
		s := longSyscallScene()
		for i := range s.samples {
			s.samples[i].Syscall.Path, s.samples[i].Syscall.Magic = path, magic
		}
		return s
	}
	virtio := bhOffScene()
	for i := range virtio.samples {
		virtio.samples[i].Stack = ticked([]string{"virtnet_send_command", "virtnet_set_rx_mode", "do_syscall_64", "entry_SYSCALL_64_after_hwframe"})
	}
	for name, test := range map[string]struct {
		scene scene
		want  stall.HintTopic
	}{
		"cgroup v2":                {onFile("/sys/fs/cgroup/memory.stat", kernel.Cgroup2Magic), stall.TopicCgroup},
		"cgroup v1":                {onFile("/sys/fs/cgroup/memory/memory.stat", kernel.CgroupMagic), stall.TopicCgroup},
		"cgroup, no magic":         {onFile("/sys/fs/cgroup/memory.stat", 0), stall.TopicCgroup},
		"a file by a similar name": {onFile("/tmp/memory.stat", 0x01021994), stall.TopicNone},
		"slabinfo":                 {onFile("/proc/slabinfo", 0x9fa0), stall.TopicSlab},
		"pagetypeinfo":             {onFile("/proc/pagetypeinfo", 0x9fa0), stall.TopicSlab},
		"IPVS":                     {timerSoftirqScene(), stall.TopicIPVS},
		"virtio_net":               {virtio, stall.TopicVirtioNet},
		"real-time":                {rtStarveScene(), stall.TopicRealTime},
		"hypervisor":               {stealScene(), stall.TopicHypervisor},
		"budget":                   {floodScene(), stall.TopicBudget},
		"none":                     {hardirqScene(), stall.TopicNone},
	} {
		t.Run(name, func(t *testing.T) {
			s := test.scene.play(New(Config{Arch: "amd64"}))
			if s.HintTopic != test.want || (s.Hint == "") != (s.HintTopic == stall.TopicNone) {
				t.Errorf("topic %q, hint %q, want %q", s.HintTopic, s.Hint, test.want)
			}
		})
	}
}
