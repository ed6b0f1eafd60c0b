// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/node"
)

// busy has CPU 0 spend time in softirqs, and handle so many of NET_RX.
func (in *Input) busy(softirq time.Duration, netRX uint64) {
	t := in.LoadAfter.CPUs[0]
	t.Softirq = softirq
	in.LoadAfter.CPUs[0] = t
	in.LoadAfter.NetRX[0] = netRX
}

func TestSteering(t *testing.T) {
	const sockets = "sysctl -w net.core.rps_sock_flow_entries=32768; "
	hot := func(in *Input) {
		in.busy(5*time.Second, 250)
		in.LoadAfter.RxPackets["eth0"], in.LoadAfter.RxPackets["veth0"] = 10_000, 10_000
	}
	one := func(in *Input) {
		hot(in)
		in.link().IRQs = in.link().IRQs[:1]
		in.LoadAfter.Interrupts[30] = map[int]uint64{0: 100}
	}
	run(t, []rule{
		{"too little in softirqs", func(in *Input) { one(in); in.busy(4900*time.Millisecond, 250) }, nil},
		{"too few softirqs", func(in *Input) { one(in); in.busy(5*time.Second, 249) }, nil},
		{"the other CPU has its part", func(in *Input) {
			one(in)
			in.LoadAfter.CPUs[1] = node.CPUTime{Total: 110 * time.Second, Softirq: 1260 * time.Millisecond}
		}, nil},
		{"one CPU", func(in *Input) { one(in); in.State.CPUs = []int{0} }, nil},
		{"too short to tell", func(in *Input) {
			one(in)
			in.LoadAfter.CPUs[0] = node.CPUTime{Total: 100*time.Second + 900*time.Millisecond}
		}, nil},
		{"nothing interrupts", hot, nil},
		{"a device with few packets", func(in *Input) { one(in); in.LoadAfter.RxPackets["eth0"] = 9_999 }, nil},
		{"two interrupts on a CPU", func(in *Input) {
			hot(in)
			in.LoadAfter.Interrupts[30], in.LoadAfter.Interrupts[31] = map[int]uint64{0: 100, 1: 2}, map[int]uint64{0: 100}
		}, []string{"info irq-affinity eth0: echo 0 > /proc/irq/30/smp_affinity_list; echo 1 > /proc/irq/31/smp_affinity_list | echo 0,1 > /proc/irq/30/smp_affinity_list; echo 0,1 > /proc/irq/31/smp_affinity_list"}},
		{"a queue that could be two", func(in *Input) { one(in); in.link().Device.Channels.Combined = 1 },
			[]string{"info rx-queues eth0: ethtool -L eth0 combined 2 | ethtool -L eth0 combined 1"}},
		{"one queue and no more", func(in *Input) { one(in); in.link().Device.Channels = node.Channels{Combined: 1, CombinedMax: 1} },
			[]string{"info rps eth0: " + sockets + "echo 3 > /sys/class/net/eth0/queues/rx-0/rps_cpus; echo 32768 > /sys/class/net/eth0/queues/rx-0/rps_flow_cnt" +
				" | sysctl -w net.core.rps_sock_flow_entries=0; echo 0 > /sys/class/net/eth0/queues/rx-0/rps_cpus; echo 0 > /sys/class/net/eth0/queues/rx-0/rps_flow_cnt"}},
		{"RPS shares out already", func(in *Input) {
			one(in)
			in.link().Device.Channels = node.Channels{Combined: 1, CombinedMax: 1}
			in.link().RxQueues[0].CPUs = []int{0, 1}
		}, nil},
		{"RPS to one CPU while packets are lost", func(in *Input) {
			hot(in)
			in.softnet("dropped", 1)
			in.State.Sysctls[flowsName] = "32768"
			in.State.Namespaces[0].Links[1].RxQueues = []node.RxQueue{{CPUs: []int{0}, Flows: 32768}}
		}, []string{
			"warning rps veth0: echo 3 > /sys/class/net/veth0/queues/rx-0/rps_cpus | echo 1 > /sys/class/net/veth0/queues/rx-0/rps_cpus",
			"info backlog: sysctl -w net.core.netdev_max_backlog=2048 | sysctl -w net.core.netdev_max_backlog=1000",
		}},
	})
}

func TestKsoftirqds(t *testing.T) {
	took := func(d time.Duration) func(*Input) {
		return func(in *Input) { in.LoadAfter.Ksoftirqd[1] = node.Thread{PID: 15, Time: d} }
	}
	run(t, []rule{
		{"below", took(1900 * time.Millisecond), nil},
		{"a fifth", took(2 * time.Second), []string{"info ksoftirqd:  | "}},
		{"half, and a device interrupts there", func(in *Input) {
			took(5 * time.Second)(in)
			in.LoadAfter.RxPackets["eth0"] = 10_000
			in.LoadAfter.Interrupts[30] = map[int]uint64{1: 3}
		}, []string{"warning ksoftirqd: echo 1 > /sys/class/net/eth0/threaded | echo 0 > /sys/class/net/eth0/threaded"}},
		{"half, and the device has threads", func(in *Input) {
			took(5 * time.Second)(in)
			in.link().Threaded = 1
			in.LoadAfter.RxPackets["eth0"] = 10_000
			in.LoadAfter.Interrupts[30] = map[int]uint64{1: 3}
		}, []string{"warning ksoftirqd:  | "}},
		{"another thread of that name", func(in *Input) { in.LoadAfter.Ksoftirqd[1] = node.Thread{PID: 99, Time: 9 * time.Second} }, nil},
	})
}

func TestSteals(t *testing.T) {
	const fewer = "# on the hypervisor, not here: fewer virtual CPUs per core, pinned ones, or another machine size | "
	stolen := func(d time.Duration) func(*Input) {
		return func(in *Input) { in.LoadAfter.CPUs[1] = node.CPUTime{Total: 110 * time.Second, Steal: d} }
	}
	run(t, []rule{
		{"below", stolen(490 * time.Millisecond), nil},
		{"a twentieth", stolen(500 * time.Millisecond), []string{"info steal: " + fewer}},
		{"a tenth", stolen(time.Second), []string{"warning steal: " + fewer}},
		{"three tenths", stolen(3 * time.Second), []string{"critical steal: " + fewer}},
	})
}

func TestDyingCgroups(t *testing.T) {
	const drop = "echo 3 > /proc/sys/vm/drop_caches | # none is needed: caches fill again"
	set := func(dying int, read time.Duration) func(*Input) {
		return func(in *Input) { in.State.Cgroups.Dying, in.State.Cgroups.Read = dying, read }
	}
	run(t, []rule{
		{"below", set(999, 49*time.Millisecond), nil},
		{"many, and quick", set(1000, 9*time.Millisecond), []string{"info dying-cgroups: " + drop}},
		{"many, and slow", set(1000, 10*time.Millisecond), []string{"warning dying-cgroups: " + drop}},
		{"few, and too slow", set(10, 50*time.Millisecond), []string{"warning dying-cgroups:  | "}},
	})
	in := quiet()
	in.State.Cgroups = node.Cgroups{Dir: "/sys/fs/cgroup/memory", Read: 50 * time.Millisecond}
	want := Finding{
		ID: "dying-cgroups", Severity: Warning,
		Evidence: []Fact{{"hierarchy", "/sys/fs/cgroup/memory"}, {"memory_stat_read_us", uint64(50000)}},
		Explain:  "One read of memory.stat takes 50ms, in which packets on that CPU may wait.",
	}
	if diff := cmp.Diff([]Finding{want}, Find(in)); diff != "" {
		t.Errorf("how many died is not known (-want +got):\n%s", diff)
	}
}
