// SPDX-License-Identifier: Apache-2.0

package labtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	tracefs = "/sys/kernel/tracing"
	// inside marks the process that was given tracefs.
	inside = "DROPWATCH_TRACEFS"
)

// MainWithTracefs runs the tests of a package that attach to classic tracepoints, which
// takes tracefs. Where root runs them and tracefs is not mounted, they run in a child
// process with a mount namespace of its own, so that the machine stays as it was. Call
// it from TestMain; it returns the exit status.
func MainWithTracefs(m *testing.M) int {
	if os.Getenv(inside) != "" {
		if err := unix.Mount("tracefs", tracefs, "tracefs", 0, ""); err != nil {
			fmt.Fprintf(os.Stderr, "mount tracefs at %s: %v\n", tracefs, err)
			return 1
		}
		os.Unsetenv(inside)
		return m.Run()
	}
	if os.Geteuid() != 0 || mounted() {
		return m.Run()
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Unshareflags makes what is mounted below / private to the child.
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	}
	fmt.Fprintf(os.Stderr, "run tests with tracefs: %v\n", err)
	return 1
}

// mounted reports whether tracefs can be reached where libraries look for it.
func mounted() bool {
	for _, events := range []string{tracefs + "/events", "/sys/kernel/debug/tracing/events"} {
		if _, err := os.Stat(events); err == nil {
			return true
		}
	}
	return false
}
