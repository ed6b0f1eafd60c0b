// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"testing"
	"testing/fstest"
	"time"
)

// TestRefresh: a module that is loaded later is found, the kernel image is read once.
func TestRefresh(t *testing.T) {
	files := fstest.MapFS{kallsyms: {Data: []byte(sample)}}
	now := time.Now()
	k := &Kernel{files: files, now: func() time.Time { return now }}
	if err := k.load(); err != nil {
		t.Fatal(err)
	}
	const later = 0xffffffffa0002010
	name := func() string { s, _ := k.Lookup(later); return s.Name }

	files[kallsyms].Data = append(files[kallsyms].Data, "ffffffffa0002000 t late_init\t[late]\n"...)
	if got := name(); got != "veth_xmit" {
		t.Errorf("at once: %s, want the old table's answer", got)
	}
	now = now.Add(2 * Refresh)
	if got := name(); got != "late_init" {
		t.Errorf("after a while: %s", got)
	}
	delete(files, kallsyms)
	now = now.Add(2 * Refresh)
	if got := name(); got != "late_init" {
		t.Errorf("when symbols cannot be read any more: %s", got)
	}
}

// slow is a file system that takes time to open a file.
type slow struct {
	fs.FS
	open func()
}

func (s slow) Open(name string) (fs.File, error) {
	s.open()
	return s.FS.Open(name)
}

// TestRefreshSlow: slow reads use at most a tenth of the time.
func TestRefreshSlow(t *testing.T) {
	const took = 3 * time.Second
	now, reads := time.Now(), 0
	files := slow{fstest.MapFS{kallsyms: {Data: []byte(sample)}, procModules: {}}, func() { now, reads = now.Add(took/2), reads+1 }}
	k := &Kernel{files: files, now: func() time.Time { return now }}
	if err := k.load(); err != nil {
		t.Fatal(err)
	}
	began := now
	for reads = 0; now.Sub(began) < time.Hour; now = now.Add(Refresh) {
		k.Lookup(0xffffffffa0002010)
	}
	if reading, limit := time.Duration(reads)*took/2, time.Hour/readingShare; reading > limit || reading < limit*9/10 {
		t.Errorf("reading took %v of an hour", reading)
	}
}

// TestReadPrograms loads a program, and takes the right to look at programs away.
func TestReadPrograms(t *testing.T) {
	const (
		program = 0xffffffffc0000000
		inside  = program + 0x100
		past    = program + 0x200
		old     = "bpf_prog_6deef7357e7b4530_drop+0x100 bpf"
	)
	files := fstest.MapFS{kallsyms: {Data: []byte(sample)}}
	listed, denied := []Range{{program, program + 0x123}}, error(nil)
	now := time.Now()
	k, err := ReadKernel(files, func() ([]Range, error) { return listed, denied })
	if err != nil {
		t.Fatal(err)
	}
	k.now = func() time.Time { return now }
	check := func(when, wantInside, wantPast string) {
		t.Helper()
		now = now.Add(time.Minute)
		if got := named(k, inside); got != wantInside {
			t.Errorf("%s: %s, want %s", when, got, wantInside)
		}
		if got := named(k, past); got != wantPast {
			t.Errorf("%s, past its end: %s, want %s", when, got, wantPast)
		}
	}
	check("at first", old, "[bpf]+0x0 bpf")
	listed = []Range{{program, program + 0x180}, {past - 0x10, past + 0x10}}
	k.ReadPrograms()
	check("anew", old, "[bpf]+0x0 bpf")
	listed, denied = nil, fs.ErrPermission
	check("once that is denied", old, "[bpf]+0x0 bpf")
	const replaced = "bpf_prog_1111111111111111_drop"
	files[kallsyms].Data = bytes.Replace(files[kallsyms].Data, []byte("bpf_prog_6deef7357e7b4530_drop"), []byte(replaced), 1)
	check("when another is there", replaced+"+0x100 bpf", replaced+"+0x200 bpf")
}

func TestReadKernelFails(t *testing.T) {
	if _, err := ReadKernel(fstest.MapFS{}, nil); err == nil {
		t.Error("no error without /proc/kallsyms")
	}
}

// note returns an ELF note.
func note(kind uint32, name, desc string) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(len(name)))
	b = binary.NativeEndian.AppendUint32(b, uint32(len(desc)))
	b = binary.NativeEndian.AppendUint32(b, kind)
	for _, s := range []string{name, desc} {
		b = append(b, s...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	return b
}

func TestBuildID(t *testing.T) {
	id := note(3, "GNU\x00", "\x01\x02\xff")
	for name, test := range map[string]struct {
		notes []byte
		want  string
	}{
		"alone":        {id, "0102ff"},
		"after others": {append(note(3, "Xen\x00", "abcde"), append(note(1, "GNU\x00", "abi"), id...)...), "0102ff"},
		"none":         {note(1, "GNU\x00", "abi"), ""},
		"cut":          {id[:len(id)-4], ""},
		"huge sizes":   {[]byte("\xff\xff\xff\xff\xff\xff\xff\xff\x03\x00\x00\x00GNU\x00"), ""},
		"empty":        {nil, ""},
	} {
		if got := BuildID(test.notes); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

func FuzzBuildID(f *testing.F) {
	f.Add(append(note(1, "GNU\x00", "abi"), note(3, "GNU\x00", "\xde\xad\xbe\xef")...))
	f.Fuzz(func(t *testing.T, notes []byte) {
		id := BuildID(notes)
		if raw, err := hex.DecodeString(id); err != nil || !bytes.Contains(notes, raw) {
			t.Errorf("build id %q, %v", id, err)
		}
	})
}
