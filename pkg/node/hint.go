// SPDX-License-Identifier: Apache-2.0

// Package node reads what a node says about itself: settings, devices, loads, sockets and
// control groups, once, as doctor needs it.
package node

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Files reads from a root, os.DirFS("/") for this machine. What it cannot read it
// leaves out.
type Files struct{ Root fs.FS }

// read returns a file's text, and false if it cannot be read.
func (f Files) read(name string) (string, bool) {
	text, err := fs.ReadFile(f.Root, strings.TrimPrefix(name, "/"))
	return string(text), err == nil
}

// DyingCgroups counts the dead cgroups that make the files of a cgroup hierarchy slow
// to read, for the hierarchy that a file belongs to, or, for a file that a process in a
// container calls otherwise, the one with the memory controller. On version 2 that is
// what cgroup.stat says (nr_dying_descendants, 4.14); on version 1 what /proc/cgroups
// counts beyond the directories there are. It is empty where neither can be told.
func (f Files) DyingCgroups(file string) string {
	d, ok := f.dying(file)
	if !ok {
		file, _ = f.memoryStat()
		d, ok = f.dying(file)
	}
	switch {
	case !ok:
		return ""
	case d.controller != "":
		return fmt.Sprintf("%d cgroups in %d directories of %s: %d are dying", d.all, d.dirs, d.controller, d.count)
	}
	return fmt.Sprintf("%d dying cgroups below %s", d.count, d.dir)
}

// field returns the number behind a name in a file of names and numbers.
func field(text, name string) (int, bool) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(rest))
			return n, err == nil
		}
	}
	return 0, false
}

// IPVS counts the services that IPVS estimates, and says whether it does.
func (f Files) IPVS() string {
	text, ok := f.read("/proc/net/ip_vs")
	if !ok {
		return ""
	}
	services := 0
	for line := range bytes.Lines([]byte(text)) {
		for _, kind := range []string{"TCP ", "UDP ", "SCTP ", "FWM "} {
			if bytes.HasPrefix(line, []byte(kind)) {
				services++
			}
		}
	}
	said := fmt.Sprintf("%d IPVS services in this namespace", services)
	if more := f.Sysctls("net.ipv4.vs.run_estimation"); more != "" {
		said += ", " + more
	}
	return said
}

// Sysctls returns settings as name = value, those that there are.
func (f Files) Sysctls(names ...string) string {
	var all []string
	for _, name := range names {
		if text, ok := f.read("/proc/sys/" + strings.ReplaceAll(name, ".", "/")); ok {
			all = append(all, name+" = "+strings.Join(strings.Fields(text), " "))
		}
	}
	return strings.Join(all, ", ")
}
