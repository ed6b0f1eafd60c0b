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

// process is what is known of a process. Its mappings do not change: a process
// that is read again is a new one.
type process struct {
	serial  uint64 // differs from those of all others
	dir     string // /proc/PID
	program fileID
	read    time.Time
	resume  time.Time // something took too long or failed; until then nothing more is read
	maps    []mapping
}

// process returns a process, or nil if it is gone and was not known before. One that
// runs another program since is read again; so is another process with its number,
// unless it runs the same program, where wrong addresses are not found.
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

// refresh returns a process as it is now, or p if it cannot be read.
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

// readMaps reads the mappings of a process. A process without any is gone.
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
