// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace_test

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// limited is the variable that makes TestMemlock open a tracer with little locked memory.
const limited = "DROPWATCH_TEST_MEMLOCK"

// TestMemlock traces as a user who may lock 64 KiB. Since 5.11 that does not matter;
// before, buffers are as small as that takes, which is said, and stalls are not watched for.
func TestMemlock(t *testing.T) {
	if os.Getenv(limited) != "" {
		openLimited(t)
		return
	}
	labtest.NeedRoot(t)
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMemlock$", "-test.v")
	cmd.Env = append(os.Environ(), limited+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: []uintptr{uintptr(privilege.BPF), uintptr(privilege.Perfmon)},
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func openLimited(t *testing.T) {
	const least = 64 << 10
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: least, Max: least}); err != nil {
		t.Fatal(err)
	}
	kernel, err := btf.LoadKernelSpec()
	if err != nil {
		t.Fatal(err)
	}
	_, gone := kernel.AnyTypesByName("bpf_map_memory") // since 5.11
	tracer, err := trace.Open(trace.Config{Exact: true, Stalls: &trace.StallConfig{}})
	if err != nil {
		t.Fatal(err)
	}
	notes := strings.Join(tracer.Meta().Notes, "\n")
	for _, want := range []string{"RLIMIT_MEMLOCK is too small: the ring buffer has ", "stalls are not recorded: RLIMIT_MEMLOCK is too small"} {
		if strings.Contains(notes, want) != (gone == nil) {
			t.Errorf("notes %q, and whether maps count as locked memory: %t", notes, gone == nil)
		}
	}
	const datagrams = 20 // more than fit a ring of a page
	s := watchBy(t, tracer, func(*seen) { dropBySending(t, datagrams) })
	if totals := s.end.Totals; totals.Drops < datagrams || totals.Drops != totals.Sampled+s.end.Loss.RingFull {
		t.Errorf("%+v, lost %+v, of %d drops", totals, s.end.Loss, datagrams)
	}
	if !slices.ContainsFunc(s.drops, func(d event.Drop) bool { return int(d.Task.TGID) == os.Getpid() && d.Stack != nil }) {
		t.Error("no drop of this process has a stack")
	}
}

// dropBySending sends datagrams to a port of loopback that nobody listens on, which takes
// no privilege.
func dropBySending(t *testing.T, datagrams int) {
	t.Helper()
	closed, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	to := closed.LocalAddr()
	closed.Close()
	from, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for range datagrams {
		if _, err := from.WriteTo([]byte("drop me"), to); err != nil {
			t.Fatal(err)
		}
	}
}
