// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import "testing"

func TestGroupOf(t *testing.T) {
	const container = "/kubepods/burstable/pod1a2b3c4d-0000-1111-2222-333344445555/c0ffee"
	for _, tt := range []struct {
		name, text, path string
		v1               bool
	}{
		{"version 2", "0::/kubepods.slice/a.scope\n", "/kubepods.slice/a.scope", false},
		{"version 2, the root", "0::/\n", "/", false},
		{"version 2, and a hierarchy for marks", "1:net_cls:/marks/of/its/own\n0::/a\n", "/a", false},
		{"version 2, and a hierarchy of a name", "1:name=elogind:/5\n0::/\n", "/", false},
		{"version 1", "12:memory:" + container + "\n4:cpu,cpuacct:" + container + "\n1:name=systemd:" + container + "\n", container, true},
		{"version 1, the root", "2:memory:/\n1:name=systemd:/\n", "/", true},
		{"version 1 without memory", "4:cpuset:/a\n3:cpu,cpuacct:/b\n1:name=systemd:/c\n", "/b", true},
		{"version 1 with processes alone", "4:cpuset:/a\n3:pids:/b\n", "/b", true},
		{"version 1 without limits", "4:cpuset:/a\n", "/a", false},
		{"hybrid, runtimes know of version 1 alone", "9:name=systemd:/system.slice/containerd.service\n4:memory:" + container + "\n0::/system.slice/containerd.service\n", container, true},
		{"hybrid, LXC", "4:memory:/lxc/web\n3:pids:/lxc/web\n0::/system.slice/lxc@web.service\n", "/lxc/web", true},
		{"hybrid, a service whose memory nobody counts", "9:name=systemd:/system.slice/ssh.service\n4:memory:/\n3:pids:/system.slice/ssh.service\n0::/system.slice/ssh.service\n", "/system.slice/ssh.service", true},
		{"hybrid, a session whose memory is its users'", "9:name=systemd:/user.slice/user-0.slice/session-1.scope\n4:memory:/user.slice\n0::/user.slice/user-0.slice/session-1.scope\n", "/user.slice/user-0.slice/session-1.scope", true},
		{"hybrid, memory alone is limited", "9:name=systemd:/\n8:pids:/\n4:memory:/jobs/7\n1:cpu:/\n0::/\n", "/jobs/7", true},
		{"a name like another's beginning", "4:memory:/a\n3:pids:/ab\n", "/a", true},
		{"colons", "1:name=x:/with:colons\n", "/with:colons", false},
		{"no groups", "", "", false},
		{"damaged", "damaged\n", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if path, v1 := groupOf(tt.text); path != tt.path || v1 != tt.v1 {
				t.Errorf("got %q, %t, want %q, %t", path, v1, tt.path, tt.v1)
			}
		})
	}
}
