// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"fmt"
	"os"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/netns"
)

// LiveSources returns the sources of this machine: its files, and each network namespace that
// has a name or a process and that may be opened. A thread enters a namespace only to read
// there.
func LiveSources() (Sources, error) {
	own, err := netns.Inode(netns.Own)
	if err != nil {
		return Sources{}, fmt.Errorf("find own network namespace: %w", err)
	}
	places, denied, err := netns.Find()
	if err != nil {
		return Sources{}, err
	}
	var notes []string
	if denied != nil {
		notes = append(notes, denied.Error())
	}
	home := netns.Place{Inode: own} // first, without a path
	places = slices.DeleteFunc(places, func(p netns.Place) bool { return p.Inode == own })
	known := new([]Space)
	var names netns.Names
	for _, p := range append([]netns.Place{home}, places...) {
		*known = append(*known, Space{
			Netns:  event.Netns{Inode: p.Inode, Name: names.Name(p.Inode)},
			Path:   p.Path,
			Files:  within{p.Path},
			Reader: &liveLinks{path: p.Path, known: known},
		})
	}
	return Sources{Root: os.DirFS("/"), Spaces: *known, Notes: notes}, nil
}
