// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import "os/exec"

// WithTracefs returns a command that finds tracefs mounted, in a mount namespace of its own
// where the machine has not mounted it. The command keeps the process ID of its start.
func WithTracefs(args ...string) *exec.Cmd {
	const mount = "test -e /sys/kernel/tracing/events || mount -t tracefs none /sys/kernel/tracing; exec \"$@\""
	return exec.Command("unshare", append([]string{"--mount", "sh", "-c", mount, "sh"}, args...)...)
}
