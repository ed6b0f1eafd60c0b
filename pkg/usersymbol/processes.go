// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"hash/maphash"
	"time"
)

// Cache sizes of Processes in bytes, besides symbols.
const (
	maxProcesses = 4 << 20
	maxFrames    = 8 << 20
)

const (
	// maxFile is the size in bytes of the largest file that is read.
	maxFile = 512 << 20
	// patience is the longest time that Resolve waits for files.
	patience = time.Second
	// pause is the time after a failure in which nothing is read of the process.
	pause = 30 * time.Second
	// maxStuck is the number of reads that may be in progress; while all of them block,
	// no other read is started.
	maxStuck = 4
	// refreshMaps is the shortest interval between two reads of a process's mappings.
	refreshMaps = 100 * time.Millisecond
)

// Processes names code addresses of processes. It must resolve an address while the process
// runs: after the process has ended, only addresses in the caches have names. It is not safe
// for concurrent use.
//
// It reads the mappings of a process at the first address, when the executable changes, and
// when an address is in no mapping. It reads the symbols of a mapped file at the first
// address in it, in any mount namespace, deleted or not. It does not read debug information,
// so it does not show inlined functions. An address has no name if a read fails or takes too
// long.
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

// frameKey is an address in a process, and the address of the byte that was looked up.
type frameKey struct{ process, addr, at uint64 }

// New returns a Processes that keeps at most memory bytes of symbols. It does not read the
// symbols of a file that need more than half of that. 32 MB are enough for a node.
func New(memory int) *Processes {
	return &Processes{
		dir: "/proc/", now: time.Now, seed: maphash.MakeSeed(), attempts: newAttempts(maxStuck),
		processes: newCache[uint32, *process](maxProcesses),
		images:    newCache[fileID, *image](memory),
		frames:    newCache[frameKey, Frame](maxFrames),
	}
}

// Resolve names the addresses of a user stack, innermost first, as the kernel unwinds it: the
// first is the instruction pointer, the others are return addresses. pid is the process (the
// kernel's tgid) in the PID namespace of /proc. Resolve returns one frame per address.
//
// It takes microseconds if all addresses are cached, milliseconds to read symbols, and at
// most a little more than a second.
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

// name names the byte at an address of a process. It reads the mappings again if none contains
// the address. final says that the answer will not change.
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
