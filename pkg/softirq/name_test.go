// SPDX-License-Identifier: Apache-2.0

package softirq

import (
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
)

func TestContainer(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	for path, want := range map[string]string{
		"/kubepods/burstable/pod1a2b3c4d-0000-1111-2222-333344445555/" + id:                                      "pod 1a2b3c4d-0000-1111-2222-333344445555, container 0123456789ab",
		"/kubepods.slice/kubepods-pod1a2b3c4d_0000_1111_2222_333344445555.slice/cri-containerd-" + id + ".scope": "pod 1a2b3c4d-0000-1111-2222-333344445555, container 0123456789ab",
		"/system.slice/docker-" + id + ".scope":                                                                  "container 0123456789ab",
		"/docker/" + id:                                                                                          "container 0123456789ab",
		"/system.slice/ssh.service":                                                                              "",
		"/" + id[:63]:                                                                                            "",
		"":                                                                                                       "",
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
