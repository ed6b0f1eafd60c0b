// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"hash/maphash"
	"time"
)

// Bounds of what Processes keeps, in bytes, besides symbols.
const (
	maxProcesses = 4 << 20
	maxFrames    = 8 << 20
)

const (
	// maxFile is the size in bytes from which a file is not read.
	maxFile = 512 << 20
	// patience is how long Resolve waits for files at most.
	patience = time.Second
	// pause is how long nothing is read of a process after that failed.
	pause = 30 * time.Second
	// maxStuck is how many readings may go on without end before there are no more.
	maxStuck = 4
	// refreshMaps is the least time between two readings of a process's mappings.
	refreshMaps = 100 * time.Millisecond
)

// Processes names addresses in the code of processes, soon after they were seen there:
// of a process that is gone only those are known that were known before. It is
// not safe for concurrent use.
//
// It reads the mappings of a process when it first meets it, when it runs another
// program, and when an address is in none of them. It reads the symbols of a mapped
// file when it first meets an address in it, in whatever mount namespace, deleted or
// not; never debug information, so inlined functions do not show. What it cannot
// read, or not in time, has no name.
type Processes struct {
	dir       string // /proc/
	now       func() time.Time
	seed      maphash.Seed
	serial    uint64 // of the last process read
	attempts  *attempts
	processes *cache[uint32, *process]
	images    *cache[fileID, *image]
	frames    *cache[frameKey, Frame]
}

// frameKey is an address in a process, and the byte that was looked up for it.
type frameKey struct{ process, addr, at uint64 }

// New returns a Processes that keeps so many bytes of symbols, and none of a file
// that has more than half of that. 32 MB do for a node.
func New(memory int) *Processes {
	return &Processes{
		dir: "/proc/", now: time.Now, seed: maphash.MakeSeed(), attempts: newAttempts(maxStuck),
		processes: newCache[uint32, *process](maxProcesses),
		images:    newCache[fileID, *image](memory),
		frames:    newCache[frameKey, Frame](maxFrames),
	}
}

// Resolve names the addresses of a user stack, innermost first, as the kernel
// unwinds it: the first is where the process was, the others are return addresses.
// pid is the process (the kernel's tgid) in the PID namespace of /proc. There is a
// frame for each address.
//
// It takes microseconds where everything is known, milliseconds to read symbols,
// and never much more than a second.
func (u *Processes) Resolve(pid uint32, addrs []uint64) []Frame {
	u.attempts.until = time.Now().Add(patience)
	frames := make([]Frame, len(addrs))
	p := u.process(pid)
	for i, addr := range addrs {
		at := addr
		if i > 0 && addr > 0 {
			at-- // a call that does not return may be the last instruction of its function
		}
		if p == nil {
			frames[i] = Frame{Addr: addr}
			continue
		}
		key := frameKey{p.serial, addr, at}
		frame, ok := u.frames.get(key)
		if !ok {
			var final bool
			frame, final = u.name(&p, pid, addr, at)
			if key.process = p.serial; final {
				u.frames.put(key, frame, 200+len(frame.Name))
			}
		}
		frames[i] = frame
	}
	return frames
}

// name names the byte at an address of a process, which it reads again if need be,
// and reports whether the answer will stay the same.
func (u *Processes) name(p **process, pid uint32, addr, at uint64) (frame Frame, final bool) {
	frame.Addr = addr
	m := find((*p).maps, at)
	if m == nil {
		*p = u.refresh(pid, *p)
		if m = find((*p).maps, at); m == nil {
			return frame, false
		}
	}
	frame.Module = m.module
	img, final := u.image(*p, m)
	if img == nil {
		return frame, final
	}
	if name, from, ok := img.lookup(at - m.Start + m.offset); ok {
		frame.Name, frame.Offset = functionName(name), from+addr-at
	}
	return frame, true
}
