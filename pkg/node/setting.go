// SPDX-License-Identifier: Apache-2.0

package node

import (
	"io/fs"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// Setting is the value of a sysctl. Below net it is that of the network namespace.
type Setting struct {
	Name  string // as sysctl spells it: net.ipv4.conf.eth0/7.rp_filter for eth0.7
	For   string // the text that matches the asterisk of the pattern, such as eth0.7; else empty
	Value string
}

// Settings returns the sysctls that match a name. The name may have one asterisk in place of an
// interface: net.ipv4.conf.*.rp_filter. Settings leaves out those that it cannot read.
func (r Root) Settings(pattern string) []Setting {
	const root = "proc/sys/"
	names, err := fs.Glob(r.FS, root+strings.ReplaceAll(pattern, ".", "/"))
	if err != nil {
		return nil
	}
	place := strings.Index(pattern, "*")
	var settings []Setting
	for _, name := range names {
		text, ok := r.read(name)
		if !ok {
			continue
		}
		s := Setting{Name: pattern, Value: event.Printable(strings.Join(strings.Fields(text), " "))}
		if place >= 0 {
			of, _, _ := strings.Cut(name[len(root)+place:], "/")
			s.For = event.Text([]byte(of))
			s.Name = pattern[:place] + strings.ReplaceAll(s.For, ".", "/") + pattern[place+1:]
		}
		settings = append(settings, s)
	}
	return settings
}
