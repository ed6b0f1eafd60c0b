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

// Kernel names the addresses of the running kernel. Modules and BPF programs are loaded and
// freed at any time, so it reads its table again when it looks up an address outside the
// kernel image some time after the last read.
type Kernel struct {
	files    fs.FS
	now      func() time.Time
	listed   func() ([]Range, error)
	table    *Table
	programs map[Range]string // of BPF, with the symbol at their start; "" if not known yet
	next     time.Time        // earliest time of the next read of the table
}

const (
	// Refresh is the shortest interval between two reads of the kernel's symbols.
	Refresh = 250 * time.Millisecond
	// readingShare limits reading to 1/readingShare of the time: a busy machine takes
	// seconds for a table of hundreds of thousands of lines.
	readingShare = 10
)

// ReadKernel reads the symbols under root, os.DirFS("/") for the running kernel. programs
// returns the address ranges of BPF functions. It may be nil, and it may fail for lack of
// permission.
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

// readModules returns the address ranges of modules, nil if they cannot be read: the file
// does not exist without CONFIG_MODULES.
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

// ReadPrograms reads the address ranges of BPF programs again. Without permission it keeps
// a range as long as a program of the same name and tag begins there.
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

// Hidden reports whether the kernel hides its addresses, as kernel.kptr_restrict demands.
func (k *Kernel) Hidden() bool { return k.table.Hidden() }

// Text returns the address range of the kernel image's code, from _stext to _etext.
func (k *Kernel) Text() Range { return k.table.Text() }

// Find returns the address of the first function of that name at the last read of the
// symbols.
func (k *Kernel) Find(name string) (uint64, bool) { return k.table.Find(name) }

// Lookup names a return address. Callers cache the result: the lookup of an address outside
// the kernel image may read the whole table again.
func (k *Kernel) Lookup(addr uint64) (Symbol, bool) {
	movable := addr < k.table.text.Start || addr >= k.table.text.End
	if movable && !k.table.Hidden() && k.now().After(k.next) {
		// On an error the old table stays in use.
		_ = k.load()
	}
	return k.table.Lookup(addr)
}
