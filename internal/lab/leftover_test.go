// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/vishvananda/netlink"
)

// A footprint is everything a scenario might leave behind, one line each. The node
// may be used by others at the same time.
type footprint []string

// changing matches sysctls that the kernel changes by itself, and those of single
// devices, which others may make and remove meanwhile.
var changing = regexp.MustCompile(`nf_conntrack_count|/(conf|neigh)/(lo|[^/]*[0-9]|[^/]*-[^/]*)/`)

func takeFootprint(t *testing.T) footprint {
	t.Helper()
	var all footprint
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		if name := l.Attrs().Name; strings.HasPrefix(name, "lab") {
			all = append(all, "link "+name)
		}
	}
	// Sockets, namespaces, BPF programs, maps and links are all held by files.
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			count[target]++
			all = append(all, fmt.Sprintf("file %s #%d", target, count[target]))
		}
	}
	threads, err := filepath.Glob("/proc/self/task/*/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	for _, thread := range threads {
		if target, err := os.Readlink(thread); err == nil {
			all = append(all, "thread in "+target)
		}
	}
	all = append(all, tree(t, "sysctl", "/proc/sys/net", true)...)
	if cgroup, err := ownCgroup(); err == nil {
		all = append(all, tree(t, "cgroup", cgroup, false)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// tree lists the files below a directory, with their contents if those are wanted,
// or else only the directories that are called like things of the lab.
func tree(t *testing.T, kind, root string, contents bool) (all []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // gone meanwhile, or not for reading
		case d.IsDir() && !contents && strings.HasPrefix(d.Name(), "lab"):
			all = append(all, kind+" "+path)
		case !d.IsDir() && contents && !changing.MatchString(path):
			content, _ := os.ReadFile(path)
			all = append(all, fmt.Sprintf("%s %s %q", kind, path, content))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// compare reports what is there now and was not before, and the other way round.
func (f footprint) compare(t *testing.T) {
	t.Helper()
	after := takeFootprint(t)
	for _, line := range after {
		if !slices.Contains(f, line) {
			t.Errorf("left behind: %s", line)
		}
	}
	for _, line := range f {
		if !slices.Contains(after, line) {
			t.Errorf("gone: %s", line)
		}
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	labtest.NeedRoot(t)
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			before := takeFootprint(t)
			_, err := s.Run(t.Context(), 3)
			before.compare(t)
			labtest.Need(t, err)
		})
	}
}

func TestNothingIsLeftBehindOnFailure(t *testing.T) {
	labtest.NeedRoot(t)
	broken := errors.New("broken")
	before := takeFootprint(t)
	for _, s := range Scenarios() {
		halfway := Scenario{Name: s.Name, arp: s.arp, prepare: func(scene *Scene) error {
			labtest.Need(t, s.prepare(scene))
			return broken
		}}
		if _, err := halfway.Prepare(); err == nil || err.Error() != "prepare "+s.Name+": broken" {
			t.Errorf("%s: got error %v, want %v", s.Name, err, broken)
		}
	}
	before.compare(t)
}

func TestNothingIsLeftBehindOnPanic(t *testing.T) {
	labtest.NeedRoot(t)
	before := takeFootprint(t)
	s := Scenario{Name: "panic", prepare: func(scene *Scene) error {
		err := cgroupEgress(scene)
		scene.send = func(context.Context, int) (int, error) { panic("sending") }
		return err
	}}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("got no panic")
			}
		}()
		s.Run(t.Context(), 1)
	}()
	before.compare(t)
}
