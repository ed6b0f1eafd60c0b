// SPDX-License-Identifier: Apache-2.0

package report

import (
	"cmp"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// Reasons are drop reasons with what is known of them here.
type Reasons struct {
	Kernel string // release of the kernel whose codes are known; empty if none is
	List   []Reason
}

// Reason is a drop reason, of the catalogue or of this kernel alone.
type Reason struct {
	dropreason.Info
	Code     *uint32   // in this kernel; nil if it has no such reason, or is not known
	Settings []Setting // of Info.Sysctls
	Places   []dropreason.Place
}

// Setting is a sysctl, perhaps with an asterisk in place of an interface, and what it
// is set to here; no values if it cannot be read.
type Setting struct {
	Name   string
	Values []node.Setting
}

// NewReasons returns all reasons: those of the catalogue by layer and name, then those
// the running kernel has besides. kernel is its release; names is nil if its reasons
// are not known.
func NewReasons(kernel string, names *dropreason.Names) *Reasons {
	if names == nil {
		kernel, names = "", new(dropreason.Names)
	}
	codes := map[string]*uint32{}
	var besides []Reason
	for _, r := range names.All() {
		codes[r.Name] = &r.Code
		if info := dropreason.Lookup(r.Name); !info.Catalogued() {
			besides = append(besides, Reason{Info: info, Code: &r.Code})
		}
	}
	slices.SortFunc(besides, func(a, b Reason) int { return cmp.Compare(a.Name, b.Name) })
	all := &Reasons{Kernel: kernel}
	for _, info := range dropreason.All() {
		all.List = append(all.List, Reason{Info: info, Code: codes[info.Name], Places: dropreason.Places(info.Name)})
	}
	all.List = append(all.List, besides...)
	return all
}

// Keep returns the reasons that keep holds of.
func (r *Reasons) Keep(keep func(Reason) bool) *Reasons {
	kept := &Reasons{Kernel: r.Kernel}
	for _, reason := range r.List {
		if keep(reason) {
			kept.List = append(kept.List, reason)
		}
	}
	return kept
}

// Find returns the reason of a name that is spelled as dropreason.Spell does.
func (r *Reasons) Find(name string) (Reason, bool) {
	i := slices.IndexFunc(r.List, func(reason Reason) bool { return reason.Name == name })
	if i < 0 {
		return Reason{}, false
	}
	return r.List[i], true
}

// Names returns the names in the order of the list.
func (r *Reasons) Names() []string {
	names := make([]string, len(r.List))
	for i, reason := range r.List {
		names[i] = reason.Name
	}
	return names
}

// ReadSettings reads what the reasons' sysctls are set to.
func (r *Reasons) ReadSettings(root node.Root) {
	for i := range r.List {
		reason := &r.List[i]
		reason.Settings = nil
		for _, name := range reason.Sysctls {
			reason.Settings = append(reason.Settings, Setting{name, root.Settings(name)})
		}
	}
}

// here counts the reasons that this kernel has.
func (r *Reasons) here() int {
	n := 0
	for _, reason := range r.List {
		if reason.Code != nil {
			n++
		}
	}
	return n
}
