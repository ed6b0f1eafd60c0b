// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"errors"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// process is a process and its mappings, which are never updated: a second read creates a new
// process.
type process struct {
	serial  uint64 // unique
	dir     string // /proc/PID
	program fileID
	read    time.Time
	resume  time.Time // no reads before, because one took too long or failed
	maps    []mapping
}

// process returns a process, or nil if it has ended and is not in the cache. A process whose
// executable changed is read again. That includes a new process with a reused PID, unless it
// runs the same executable: refresh reads it when an address is in no mapping.
func (u *Processes) process(pid uint32) *process {
	known, ok := u.processes.get(pid)
	var dir string
	if ok {
		dir = known.dir
	} else {
		dir = u.dir + strconv.FormatUint(uint64(pid), 10)
	}
	program, err := programID(dir)
	switch {
	case ok && (err != nil || known.program == program):
		return known
	case err != nil:
		return nil
	}
	p := &process{dir: dir, program: program}
	if err = u.readMaps(p); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		p.resume = u.now().Add(pause)
	}
	u.keep(pid, p)
	return p
}

// refresh reads a process again. It returns p if the last read is recent or the process cannot
// be read.
func (u *Processes) refresh(pid uint32, p *process) *process {
	now := u.now()
	if now.Sub(p.read) <= refreshMaps || now.Before(p.resume) {
		return p
	}
	again := &process{dir: p.dir, program: p.program}
	if err := u.readMaps(again); err != nil {
		p.read, p.resume = again.read, now.Add(pause)
		return p
	}
	u.keep(pid, again)
	return again
}

// readMaps reads the mappings of a process. A process without mappings has ended.
func (u *Processes) readMaps(p *process) (err error) {
	u.serial++
	p.serial, p.read = u.serial, u.now()
	p.maps, err = attempt(u.attempts, func() ([]mapping, error) {
		file, err := os.Open(p.dir + "/maps")
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return parseMaps(file, maxProcesses/2)
	})
	if errors.Is(err, unix.ESRCH) || err == nil && len(p.maps) == 0 {
		err = os.ErrNotExist
	}
	return err
}

func (u *Processes) keep(pid uint32, p *process) {
	size := 256 + len(p.dir)
	for i := range p.maps {
		size += p.maps[i].bytes()
	}
	u.processes.put(pid, p, size)
}
