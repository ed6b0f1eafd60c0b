// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/privilege"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestAmbient: an ordinary user with capabilities records.
func TestAmbient(t *testing.T) {
	path := static(t)
	const hidden = "CAP_SYSLOG (for names in stacks) is missing"
	for _, test := range []struct {
		name     string
		has      []privilege.Capability
		nameless bool
	}{
		{"names", []privilege.Capability{privilege.BPF, privilege.Perfmon, privilege.Syslog}, false},
		{"no names", []privilege.Capability{privilege.BPF, privilege.Perfmon}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd, stderr := dropwatch(t, "record", "-q")
			by(path, cmd)
			asUser(t, cmd, test.has...)
			setSysctl(t, "kernel.kptr_restrict", "1")
			begin(t, cmd, recording.DefaultName)
			want := privilege.Of(test.has...)
			for _, s := range threads(t, cmd.Process.Pid) {
				if s.Effective != want || s.Permitted != want || s.Ambient != 0 || !s.NoNewPrivs {
					t.Errorf("a thread has %v of %v, and hands on %v", s.Effective, want, s.Ambient)
				}
			}
			recordsDrops(t, cmd, recording.DefaultName, closedPort(t))
			if strings.Contains(notes(t, cmd), hidden) != test.nameless || stderr.Len() > 0 {
				t.Errorf("notes %q, says %q", notes(t, cmd), stderr)
			}
		})
	}
	for _, command := range []string{"stalls", "icmp"} {
		t.Run(command, func(t *testing.T) {
			cmd, stderr := dropwatch(t, command, "-d", "200ms")
			by(path, cmd)
			asUser(t, cmd, privilege.BPF, privilege.Perfmon)
			if err := cmd.Run(); err != nil || strings.Contains(stderr.String(), "warning") {
				t.Errorf("%v: %s", err, stderr)
			}
		})
	}
}

// TestMissing names the capabilities that are missing, and what cannot be done then.
func TestMissing(t *testing.T) {
	const bpf, perfmon = "CAP_BPF (to load programs)", "CAP_PERFMON (to trace)"
	for _, command := range []string{"record", "stalls", "icmp"} {
		for name, test := range map[string]struct {
			has  []privilege.Capability
			says []string
		}{
			"all":     {nil, []string{"lacks " + bpf + ", " + perfmon + ": ", "grant CAP_BPF and CAP_PERFMON;"}},
			"BPF":     {[]privilege.Capability{privilege.Perfmon}, []string{"lacks " + bpf + ": ", "run with sudo, or grant CAP_BPF;"}},
			"PERFMON": {[]privilege.Capability{privilege.BPF}, []string{"lacks " + perfmon + ": ", "run with sudo, or grant CAP_PERFMON;"}},
		} {
			t.Run(command+" "+name, func(t *testing.T) {
				cmd, stderr := dropwatch(t, command)
				asUser(t, cmd, test.has...)
				fails(t, cmd, stderr, statusPrivilege, append(test.says, "error: cannot trace this kernel: ", "permission denied")...)
				if strings.Contains(stderr.String(), "MEMLOCK") {
					t.Errorf("guesses: %s", stderr)
				}
			})
		}
	}
}

// TestFileCapabilities: a binary that bears them is for every user who may run it.
func TestFileCapabilities(t *testing.T) {
	path := static(t)
	set := privilege.Of(privilege.BPF, privilege.Perfmon, privilege.Syslog)
	const revision2, effective = 0x02000000, 1 // VFS_CAP_REVISION_2, include/uapi/linux/capability.h
	var data []byte
	for _, word := range []uint32{revision2 | effective, uint32(set), 0, uint32(set >> 32), 0} {
		data = binary.LittleEndian.AppendUint32(data, word)
	}
	if err := unix.Setxattr(path, "security.capability", data, 0); err != nil {
		t.Fatal(err)
	}
	cmd, stderr := dropwatch(t, "record", "-q")
	by(path, cmd)
	asUser(t, cmd)
	begin(t, cmd, recording.DefaultName)
	recordsDrops(t, cmd, recording.DefaultName, closedPort(t))
	if stderr.Len() > 0 {
		t.Errorf("says %s", stderr)
	}
}

// setSysctl sets a sysctl for the length of a test.
func setSysctl(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/" + strings.ReplaceAll(name, ".", "/")
	was, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(value), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, was, 0); err != nil {
			t.Error(err)
		}
	})
}
