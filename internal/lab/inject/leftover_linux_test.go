// SPDX-License-Identifier: Apache-2.0

package inject

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A footprint is what a bench might leave behind, one line each.
type footprint []string

func takeFootprint(t *testing.T) (all footprint) {
	t.Helper()
	// Sockets, namespaces, BPF programs, maps and links, perf events: all files.
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			all = append(all, "file "+target)
		}
	}
	sysctls, err := filepath.Glob("/proc/sys/net/core/netdev_*")
	if err != nil {
		t.Fatal(err)
	}
	for _, sysctl := range sysctls {
		value, err := os.ReadFile(sysctl)
		all = append(all, fmt.Sprintf("%s %q %v", sysctl, value, err))
	}
	var status unix.WaitStatus
	if pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WNOWAIT, nil); !errors.Is(err, unix.ECHILD) {
		all = append(all, fmt.Sprintf("child %d %v", pid, err))
	}
	slices.Sort(all)
	return all
}

func (f footprint) compare(t *testing.T) {
	t.Helper()
	if after := takeFootprint(t); !slices.Equal(f, after) {
		t.Errorf("before:\n%q\nafter:\n%q", f, after)
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	labtest.NeedRoot(t)
	warmUp(t)
	for _, class := range Classes() {
		t.Run(string(class), func(t *testing.T) {
			before := takeFootprint(t)
			b, err := Open(class)
			labtest.Need(t, err)
			napi := b.napi
			if err := b.Start(); err != nil {
				t.Error(err)
			}
			if _, err := b.Inject(10 * time.Millisecond); err != nil {
				t.Error(err)
			}
			if err := b.Close(); err != nil { // without a stop
				t.Error(err)
			}
			before.compare(t)
			if napi == 0 {
				return
			}
			err = await("end of NAPI thread", patience, func() (bool, error) {
				return errors.Is(unix.Kill(napi, 0), unix.ESRCH), nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNothingIsLeftBehindOnFailure lets the first packet of a burst fail.
func TestNothingIsLeftBehindOnFailure(t *testing.T) {
	labtest.NeedRoot(t)
	warmUp(t)
	for _, class := range []Class{NETRXSlow, NETRXBudget} {
		before := takeFootprint(t)
		b, err := Open(class)
		labtest.Need(t, err)
		err = b.net.Tx.Do(func() error {
			link, err := netlink.LinkByName(b.net.Tx.Device)
			if err != nil {
				return err
			}
			return netlink.LinkSetDown(link)
		})
		if err != nil {
			t.Error(err)
		}
		if _, err := b.Inject(10 * time.Millisecond); !errors.Is(err, unix.ENETUNREACH) {
			t.Errorf("%s: got error %v, want %v", class, err, unix.ENETUNREACH)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		before.compare(t)
	}
}

// warmUp has libraries open what they keep open.
func warmUp(t *testing.T) {
	t.Helper()
	b, err := Open(RTStarve)
	labtest.Need(t, err)
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
