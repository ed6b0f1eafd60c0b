// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// TestQuote has bash read back the names that devices can have.
func TestQuote(t *testing.T) {
	for _, raw := range []string{"eth0", "a;reboot", "$(id)", "it's", `back\slash`, `'\''`, "\x1b[31m", "é", "\xff'\x01", "-n", "a`id`", "*", "~"} {
		word := quote(event.Text([]byte(raw)))
		got, err := exec.Command("bash", "-c", "printf %s "+word).Output()
		if raw == "-n" {
			got, err = exec.Command("bash", "-c", "printf -- "+word).Output()
		}
		if err != nil || string(got) != raw {
			t.Errorf("%q as %s is %q: %v", raw, word, got, err)
		}
	}
}

// TestPersist: where a setting is kept depends on whose namespace it is of.
func TestPersist(t *testing.T) {
	n := newNode(Input{})
	of := func(ns node.Namespace) []string {
		var f Finding
		n.set(&f, ns, setting{"net.core.somaxconn", "128", "512"})
		n.onDevice(&f, ns, "eth0", "echo 3 > /sys/class/net/eth0/threaded", "echo 0 > /sys/class/net/eth0/threaded")
		n.onDevice(&f, ns, "a;b", "ethtool -G 'a;b' rx 2", "ethtool -G 'a;b' rx 1") // no name for udev
		return f.Persist
	}
	pod := node.Namespace{Path: "/run/netns/pod"}
	own := []string{
		"/etc/sysctl.d/90-dropwatch.conf: net.core.somaxconn = 512",
		`/etc/udev/rules.d/90-dropwatch.rules: ACTION=="add|move", SUBSYSTEM=="net", KERNEL=="eth0", RUN+="/bin/sh -c 'echo 3 > /sys/class/net/eth0/threaded'"`,
	}
	if diff := cmp.Diff(own, of(node.Namespace{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"what makes this namespace has to run the command in it"}, of(pod)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	n.State.Kubelet = true
	own = append(own, "Kubernetes: a DaemonSet for this node pool, with hostNetwork and a privileged init container, that runs the commands")
	if diff := cmp.Diff(own, of(node.Namespace{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	inPod := []string{`the pod's spec.securityContext.sysctls: {name: net.core.somaxconn, value: "512"}; the kubelet has to allow it (--allowed-unsafe-sysctls)`}
	if diff := cmp.Diff(inPod, of(pod)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
