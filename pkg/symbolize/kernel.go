// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"cmp"
	"fmt"
	"io/fs"
	"time"
)

const (
	kallsyms    = "proc/kallsyms"
	procModules = "proc/modules"
)

// Kernel names the addresses of the running kernel. Modules and BPF programs come
// and go, so it reads its table anew when an address outside the kernel image
// turns up some time after the last reading.
type Kernel struct {
	files    fs.FS
	now      func() time.Time
	listed   func() ([]Range, error)
	table    *Table
	programs map[Range]string // BPF's, with the name of what begins there, "" if not known yet
	next     time.Time        // the table is not read anew before
}

const (
	// Refresh is the least time between two readings of the kernel's symbols.
	Refresh = 250 * time.Millisecond
	// readingShare is one in how much of the time reading takes at most: a busy machine
	// takes seconds for a table of hundreds of thousands of lines.
	readingShare = 10
)

// ReadKernel reads the symbols under root, os.DirFS("/") for the running kernel. programs
// lists where functions of BPF programs are; it may be nil, and fail where that is not
// allowed.
func ReadKernel(root fs.FS, programs func() ([]Range, error)) (*Kernel, error) {
	k := &Kernel{files: root, now: time.Now, listed: programs, programs: map[Range]string{}}
	return k, k.load()
}

func (k *Kernel) load() error {
	started := k.now()
	defer func() {
		ended := k.now()
		k.next = ended.Add(max(Refresh, (readingShare-1)*ended.Sub(started)))
	}()
	file, err := k.files.Open(kallsyms)
	if err != nil {
		return fmt.Errorf("read symbols: %w", err)
	}
	defer file.Close()
	table, err := ParseKallsyms(file)
	if err != nil {
		return fmt.Errorf("read symbols: %w", err)
	}
	table.setModules(k.readModules())
	k.table = table
	k.ReadPrograms()
	return nil
}

// readModules returns where modules are, none if that cannot be read: there is no such
// file without CONFIG_MODULES.
func (k *Kernel) readModules() map[string]Range {
	file, err := k.files.Open(procModules)
	if err != nil {
		return nil
	}
	defer file.Close()
	found, err := parseModules(file)
	if err != nil {
		return nil
	}
	return found
}

// ReadPrograms reads anew where BPF programs are. Where that is not allowed, those known
// before serve on, as long as a program of the same name and tag begins there.
func (k *Kernel) ReadPrograms() {
	if k.listed == nil {
		return
	}
	if ranges, err := k.listed(); err == nil {
		clear(k.programs)
		for _, r := range ranges {
			k.programs[r] = ""
		}
	}
	var valid []Range
	for r, name := range k.programs {
		now := k.table.startingAt(r.Start)
		if name != "" && now != "" && now != name {
			delete(k.programs, r)
			continue
		}
		k.programs[r] = cmp.Or(now, name)
		valid = append(valid, r)
	}
	k.table.setPrograms(valid)
}

// Hidden reports whether the kernel shows no addresses, as kernel.kptr_restrict asks.
func (k *Kernel) Hidden() bool { return k.table.Hidden() }

// Text returns where the kernel image's own code lies, from _stext to _etext.
func (k *Kernel) Text() Range { return k.table.Text() }

// Find returns the address of the first function of that name, of those known when
// the symbols were read last.
func (k *Kernel) Find(name string) (uint64, bool) { return k.table.Find(name) }

// Lookup names a return address. Ask once for each and keep the answer: a first
// look at an address in a module or BPF program may read the whole table anew.
func (k *Kernel) Lookup(addr uint64) (Symbol, bool) {
	movable := addr < k.table.text.Start || addr >= k.table.text.End
	if movable && !k.table.Hidden() && k.now().After(k.next) {
		// The old table serves on if the kernel will not show a new one.
		_ = k.load()
	}
	return k.table.Lookup(addr)
}
