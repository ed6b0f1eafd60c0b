// SPDX-License-Identifier: Apache-2.0

// Package node reads the state of a node once, for doctor: settings, devices, load, sockets
// and cgroups.
package node

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// Root reads files below a root, os.DirFS("/") for this machine. Its methods leave out what
// they cannot read.
type Root struct{ FS fs.FS }

// read returns a file's text, and false if it cannot be read.
func (r Root) read(name string) (string, bool) {
	text, err := fs.ReadFile(r.FS, strings.TrimPrefix(name, "/"))
	return string(text), err == nil
}

// DyingCgroups counts the dying cgroups of the hierarchy that a file belongs to. They make its
// files slow to read. If that hierarchy is not found, as for a path in a container, DyingCgroups
// takes the hierarchy with the memory controller. On version 2 the number is
// nr_dying_descendants of cgroup.stat (4.14+), on version 1 the cgroups in /proc/cgroups minus
// the directories. The text is empty if the number is unknown.
func (r Root) DyingCgroups(file string) string {
	d, ok := r.dying(file)
	if !ok {
		file, _ = r.memoryStat()
		d, ok = r.dying(file)
	}
	switch {
	case !ok:
		return ""
	case d.controller != "":
		return fmt.Sprintf("%d cgroups in %d directories of %s: %d are dying", d.all, d.dirs, d.controller, d.count)
	}
	return fmt.Sprintf("%d dying cgroups below %s", d.count, d.dir)
}

// field returns the number after a name in a file with a name and a number on each line.
func field(text, name string) (int, bool) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.Atoi(strings.TrimSpace(rest))
			return n, err == nil
		}
	}
	return 0, false
}

// IPVS counts the IPVS services, and adds the setting that makes IPVS estimate their rates.
func (r Root) IPVS() string {
	text, ok := r.read("/proc/net/ip_vs")
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
	if more := r.Sysctls("net.ipv4.vs.run_estimation"); more != "" {
		said += ", " + more
	}
	return said
}

// Sysctls returns the settings that exist, as "name = value", separated by commas.
func (r Root) Sysctls(names ...string) string {
	var all []string
	for _, name := range names {
		if text, ok := r.read("/proc/sys/" + strings.ReplaceAll(name, ".", "/")); ok {
			all = append(all, name+" = "+strings.Join(strings.Fields(text), " "))
		}
	}
	return strings.Join(all, ", ")
}
