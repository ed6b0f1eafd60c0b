// SPDX-License-Identifier: Apache-2.0

package finding

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/node"
)

const (
	sysctlFile = "/etc/sysctl.d/90-dropwatch.conf"
	udevFile   = "/etc/udev/rules.d/90-dropwatch.rules"
)

// in makes a command one of a namespace.
func in(ns node.Namespace, command string) string {
	if ns.Path == "" {
		return command
	}
	return "nsenter --net=" + quote(ns.Path) + " " + command
}

// write is a command that writes a value to a file.
func write(value, file string) string {
	return "echo " + quote(value) + " > " + quote(file)
}

// quote makes one word for bash of a text whose odd bytes event.Text has escaped; these
// escapes are those of $'…'.
func quote(word string) string {
	switch {
	case isPlain(word):
		return word
	case strings.Contains(word, `\`):
		return "$'" + strings.ReplaceAll(word, "'", `\'`) + "'"
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// isPlain tells whether a word means itself to a shell, udev, and sysctl alike.
func isPlain(word string) bool {
	for _, r := range word {
		if !strings.ContainsRune("_-.:/,@%+=", r) && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return word != ""
}

// setting is a sysctl with the value it has and the one it should have.
type setting struct{ name, now, then string }

// kernelDefaults are what settings have before anybody changes them, on every kernel from
// 5.10 to 7.2 alike and whatever memory there is: include/linux/socket.h (SOMAXCONN),
// net/core/hotdata.c and dev.c, include/net/sock.h (SK_RMEM_MAX), net/ipv4/arp.c,
// net/ipv4/ip_fragment.c, net/ipv6/reassembly.c.
var kernelDefaults = map[string]string{
	somaxconn:                           "4096",
	backlogName:                         "1000",
	budgetName:                          "300",
	rmemDefault:                         "212992",
	fragments4:                          "4194304",
	fragments6:                          "4194304",
	"net.ipv4.neigh.default.gc_thresh1": "128",
	"net.ipv4.neigh.default.gc_thresh2": "512",
	"net.ipv4.neigh.default.gc_thresh3": "1024",
	"net.ipv6.neigh.default.gc_thresh1": "128",
	"net.ipv6.neigh.default.gc_thresh2": "512",
	"net.ipv6.neigh.default.gc_thresh3": "1024",
}

// set adds to a finding how settings are changed, kept, and restored.
func (n *nodeInput) set(f *Finding, ns node.Namespace, settings ...setting) {
	for _, s := range settings {
		f.Fix = append(f.Fix, in(ns, "sysctl -w "+quote(s.name+"="+s.then)))
		f.Undo = append(f.Undo, in(ns, "sysctl -w "+quote(s.name+"="+s.now)))
		if first, ok := kernelDefaults[s.name]; ok && first != s.now {
			f.Undo = append(f.Undo, "# "+s.now+" may be an earlier change: the kernel's default is "+first)
		}
		switch {
		case ns.Path == "":
			f.keep(sysctlFile + ": " + s.name + " = " + s.then)
		case n.State.Kubelet:
			f.keep(fmt.Sprintf("the pod's spec.securityContext.sysctls: {name: %s, value: %q}; the kubelet has to allow it (--allowed-unsafe-sysctls)", s.name, s.then))
		default:
			f.keep("what makes this namespace has to run the command in it")
		}
	}
	if ns.Path == "" {
		n.daemonSet(f)
	}
}

// keep adds a line on what makes a change last, at the end and once.
func (f *Finding) keep(line string) {
	f.Persist = append(slices.DeleteFunc(f.Persist, func(l string) bool { return l == line }), line)
}

// onDevice adds a command that changes a device, and the one that restores it.
func (n *nodeInput) onDevice(f *Finding, ns node.Namespace, device, fix, undo string) {
	f.Fix = append(f.Fix, in(ns, fix))
	f.Undo = append(f.Undo, in(ns, undo))
	n.atStart(f, ns, device, fix)
}

// atStart adds how a command is run for a device when it appears. udev renames with the
// action move, hence both. It knows the devices of the machine's own namespace.
func (n *nodeInput) atStart(f *Finding, ns node.Namespace, device, command string) {
	if ns.Path == "" && isPlain(device) {
		f.keep(fmt.Sprintf(`%s: ACTION=="add|move", SUBSYSTEM=="net", KERNEL=="%s", RUN+="%s"`, udevFile, device, udevCommand(command)))
		n.daemonSet(f)
	}
}

// udevCommand makes of a command what udev runs, which has no shell and no PATH. Its $
// and % would be substitutions.
func udevCommand(command string) string {
	command = strings.NewReplacer("$", "$$", "%", "%%").Replace(command)
	switch {
	case strings.HasPrefix(command, "echo "):
		return "/bin/sh -c '" + command + "'"
	case strings.HasPrefix(command, "ip "), strings.HasPrefix(command, "tc "), strings.HasPrefix(command, "ethtool "):
		return "/usr/sbin/" + command
	}
	return command
}

// daemonSet adds how nodes of Kubernetes, which are made anew, keep a change.
func (n *nodeInput) daemonSet(f *Finding) {
	const advice = "Kubernetes: a DaemonSet for this node pool, with hostNetwork and a privileged init container, that runs the commands"
	if n.State.Kubelet {
		f.keep(advice)
	}
}

// number prints a value for a command.
func number[T uint32 | uint64 | int](value T) string { return fmt.Sprint(value) }

// mebibytes prints an amount of memory.
func mebibytes(bytes uint64) string {
	return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
}
