// SPDX-License-Identifier: Apache-2.0

//go:build linux

package usersymbol

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"io"
	"os"
)

// image returns the symbols of a mapping, or nil. final says that a later call returns the
// same.
func (u *Processes) image(p *process, m *mapping) (img *image, final bool) {
	if !m.hasCode() || m.lost {
		return nil, true
	}
	if img, ok := u.images.get(m.id); ok {
		return img, true
	}
	if u.now().Before(p.resume) {
		return nil, false
	}
	var err error
	if m.path == vdso {
		img, err = u.vdso(p, m)
	} else {
		img, err = u.file(p, m)
	}
	if err == errStuck {
		p.resume = u.now().Add(pause)
		return nil, false
	}
	m.lost = err != nil
	return img, true
}

// file returns the symbols of a mapped file. The image is empty if the file's symbols cannot
// be read.
func (u *Processes) file(p *process, m *mapping) (*image, error) {
	type opened struct {
		*os.File
		id fileID
	}
	file, err := attempt(u.attempts, func() (opened, error) {
		file, id, err := p.openFile(m)
		return opened{file, id}, err
	})
	if err != nil {
		return nil, err
	}
	m.id = file.id
	if img, ok := u.images.get(m.id); ok {
		file.Close()
		return img, nil
	}
	img, err := attempt(u.attempts, func() (*image, error) { return loadFile(file.File, file.id, u.images.limit/2) })
	if err == errStuck {
		return nil, err
	}
	if err != nil {
		img = &image{}
	}
	u.images.put(m.id, img, img.bytes())
	return img, nil
}

func (u *Processes) vdso(p *process, m *mapping) (*image, error) {
	type loaded struct {
		*image
		id fileID
	}
	code, err := attempt(u.attempts, func() (loaded, error) {
		img, id, err := p.loadVDSO(m, u.seed, u.images.limit/2)
		return loaded{img, id}, err
	})
	if err != nil {
		return nil, err
	}
	m.id = code.id
	u.images.put(m.id, code.image, code.bytes())
	return code.image, nil
}

// loadFile reads the functions of a file from openFile and closes it.
func loadFile(file *os.File, id fileID, limit int) (*image, error) {
	defer file.Close()
	if id.size > maxFile {
		return nil, fmt.Errorf("read symbols of %d bytes: %w", id.size, errTooLarge)
	}
	readable, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", file.Fd()))
	if err != nil {
		return nil, err
	}
	defer readable.Close()
	return readImage(readable, limit)
}

// loadVDSO reads the functions of the vDSO. It is the same in all processes of an
// architecture, so a hash of its content identifies it.
func (p *process) loadVDSO(m *mapping, seed maphash.Seed, limit int) (*image, fileID, error) {
	const most = 1 << 20
	memory, err := os.Open(p.dir + "/mem")
	if err != nil {
		return nil, fileID{}, err
	}
	defer memory.Close()
	code := make([]byte, min(m.End-m.Start, most))
	n, err := memory.ReadAt(code, int64(m.Start))
	if err != nil && err != io.EOF {
		return nil, fileID{}, err
	}
	img, err := readImage(bytes.NewReader(code[:n]), limit)
	return img, fileID{inode: maphash.Bytes(seed, code[:n]), size: int64(n)}, err
}
