// SPDX-License-Identifier: Apache-2.0

package stall

import (
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernel"
)

func TestContainer(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	inner := strings.Repeat("fedcba9876543210", 4)
	for path, want := range map[string]string{
		"/kubepods/burstable/pod1a2b3c4d-0000-1111-2222-333344445555/" + id:                                                       "pod 1a2b3c4d-0000-1111-2222-333344445555, container 0123456789ab",
		"/kubepods.slice/kubepods-pod1a2b3c4d_0000_1111_2222_333344445555.slice/cri-containerd-" + id + ".scope":                  "pod 1a2b3c4d-0000-1111-2222-333344445555, container 0123456789ab",
		"/system.slice/docker-" + id + ".scope":                                                                                   "container 0123456789ab",
		"/system.slice/containerd.service/kubepods-besteffort-pod1a2b3c4d_0000_1111_2222_333344445555.slice:cri-containerd:" + id: "pod 1a2b3c4d-0000-1111-2222-333344445555, container 0123456789ab",
		"/kubepods/burstable/pod0123456789abcdef0123456789abcdef/" + id:                                                           "pod 0123456789abcdef0123456789abcdef, container 0123456789ab",
		"/../../kubepods-pod1a2b3c4d_0000_1111_2222_333344445555.slice/crio-" + id + ".scope":                                     "pod 1a2b3c4d-0000-1111-2222-333344445555, container 0123456789ab",
		"/kubepods-pod1a2b3c4d_0000_1111_2222_333344445555.slice/crio-conmon-" + id + ".scope":                                    "pod 1a2b3c4d-0000-1111-2222-333344445555",
		"/machine.slice/libpod-" + id + ".scope/container":                                                                        "container 0123456789ab",
		"/machine.slice/libpod-conmon-" + id + ".scope":                                                                           "",
		"/docker/" + id + "/system.slice/cron.service":                                                                            "container 0123456789ab",
		"/docker/" + id + "/docker/" + inner:                                                                                      "container fedcba987654",
		"/docker/" + id:                                                                                                           "container 0123456789ab",
		"/system.slice/ssh.service":                                                                                               "",
		"/docker/" + id + "0":                                                                                                     "",
		"/notapod1a2b3c4d-0000-1111-2222-333344445555":                                                                            "",
		"/pod" + id:   "",
		"/" + id[:63]: "",
		"":            "",
	} {
		if got := (&Culprit{CgroupPath: path}).Container(); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func TestCulpritName(t *testing.T) {
	timer := &event.Frame{Addr: 0x1000, Symbol: "estimation_timer"}
	for _, tt := range []struct {
		culprit     Culprit
		name, doing string
	}{
		{Culprit{PID: 7, Comm: "cadvisor"}, "cadvisor (pid 7)", "-"},
		{Culprit{Comm: "swapper/1", Policy: "SCHED_FIFO", Priority: 50}, "swapper/1", "SCHED_FIFO priority 50"},
		{Culprit{Softirq: "TIMER", Function: timer}, "estimation_timer in softirq TIMER", "-"},
		{Culprit{Handler: "eth0", IRQ: 24}, "the handler of interrupt 24 (eth0)", "-"},
		{Culprit{Function: timer}, "estimation_timer", "-"},
		{Culprit{Device: "eth0"}, "eth0", "-"},
		{Culprit{}, "-", "-"},
	} {
		if name, doing := tt.culprit.Name(), tt.culprit.Doing(); name != tt.name || doing != tt.doing {
			t.Errorf("%+v: got %q in %q, want %q in %q", tt.culprit, name, doing, tt.name, tt.doing)
		}
	}
}

// TestCgroupHint: where dead cgroups are counted depends on the version of the hierarchy.
func TestCgroupHint(t *testing.T) {
	const (
		slow = "dead cgroups make such files slow: "
		v1   = "/proc/cgroups counts more cgroups than there are directories"
		v2   = "nr_dying_descendants in cgroup.stat counts them"
	)
	for _, tt := range []struct {
		path  string
		magic uint32
		topic HintTopic
		hint  string
	}{
		{"/sys/fs/cgroup/memory/memory.stat", kernel.CgroupMagic, TopicCgroup, slow + v1},
		{"/rootfs/sys/fs/cgroup/memory.stat", kernel.Cgroup2Magic, TopicCgroup, slow + v2},
		{"/sys/fs/cgroup/memory/memory.stat", 0, TopicCgroup, slow + v2 + ", or, in version 1, " + v1},
		{"/var/lib/memory.stat", 0, TopicNone, ""},
		{"", kernel.Cgroup2Magic, TopicNone, ""},
	} {
		s := &Stall{Culprit: &Culprit{Syscall: &Syscall{Name: "read", Path: tt.path, Magic: tt.magic}}}
		if topic, hint := HintFor(s); topic != tt.topic || hint != tt.hint {
			t.Errorf("%s of %#x: got %q, %q, want %q, %q", tt.path, tt.magic, topic, hint, tt.topic, tt.hint)
		}
	}
}
