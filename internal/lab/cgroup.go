// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// doomed marks the packets that the cgroup program drops.
const doomed = 0x6c616221

// cgroupEgress attaches to the cgroup that this process is in already, so that no
// cgroup has to be made and no process moved. The program lets every packet pass
// without the mark, and is detached by the kernel if the process dies.
func cgroupEgress(s *Scene) error {
	s.expect.Reasons = []string{"BPF_CGROUP_EGRESS"}
	s.expect.Frames = [][]string{{"ip_finish_output", "ip_output"}, {"udp_sendmsg"}}
	src, dst := s.flow4()
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	s.diesAt(s.net.Tx)
	if err := s.attachCgroup(); err != nil {
		return err
	}
	fd, err := s.socket(s.net.Tx, unix.SOCK_DGRAM, src)
	if err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, doomed); err != nil {
		return fmt.Errorf("mark socket: %w", err)
	}
	return s.leaves(datagrams(fd, dst, unix.EPERM), nil)
}

func (s *Scene) attachCgroup() error {
	prog, err := s.program(ebpf.CGroupSKB, ebpf.AttachCGroupInetEgress, cgroupDropMark(doomed))
	if err != nil {
		return err
	}
	own, err := ownCgroup()
	if err != nil {
		return err
	}
	attached, err := link.AttachCgroup(link.CgroupOptions{
		Path: own, Attach: ebpf.AttachCGroupInetEgress, Program: prog,
	})
	if err != nil {
		return fmt.Errorf("attach program to %s: %w", own, err)
	}
	s.onClose(attached.Close)
	return nil
}

// ownCgroup returns the directory of this process's cgroup. The hierarchy is not
// mounted for the purpose, as each mount without options resets those that the
// node's own has (apply_cgroup_root_flags, kernel/cgroup/cgroup.c).
func ownCgroup() (string, error) {
	root, err := field("/proc/self/mountinfo", func(line string) (string, bool) {
		mount, fs, ok := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if !ok || !strings.HasPrefix(fs, "cgroup2 ") || len(fields) < 5 || fields[3] != "/" {
			return "", false
		}
		return fields[4], true
	})
	if err != nil {
		return "", fmt.Errorf("find cgroup2: %w", lacking(err, os.ErrNotExist))
	}
	path, err := field("/proc/self/cgroup", func(line string) (string, bool) {
		return strings.CutPrefix(line, "0::")
	})
	if err != nil {
		return "", fmt.Errorf("find own cgroup: %w", lacking(err, os.ErrNotExist))
	}
	return filepath.Join(root, path), nil
}
