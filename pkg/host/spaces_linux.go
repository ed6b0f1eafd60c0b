// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"fmt"
	"os"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// LiveSources are those of this machine: its files, and each network namespace that has
// a name or a process and that may be opened. Namespaces are entered by a thread only
// while something is read there.
func LiveSources() (Sources, error) {
	own, err := inodeOf(ownNetns)
	if err != nil {
		return Sources{}, fmt.Errorf("find own network namespace: %w", err)
	}
	places, denied, err := findNetns()
	if err != nil {
		return Sources{}, err
	}
	var notes []string
	if denied != nil {
		notes = append(notes, denied.Error())
	}
	home := netnsPlace{inode: own} // first, and by no path
	places = slices.DeleteFunc(places, func(p netnsPlace) bool { return p.inode == own })
	known := new([]Space)
	var names NetnsNames
	for _, p := range append([]netnsPlace{home}, places...) {
		*known = append(*known, Space{
			Netns:  event.Netns{Inode: p.inode, Name: names.Name(p.inode)},
			Path:   p.path,
			Files:  within{p.path},
			Reader: &liveLinks{path: p.path, known: known},
		})
	}
	return Sources{Root: os.DirFS("/"), Spaces: *known, Notes: notes}, nil
}
