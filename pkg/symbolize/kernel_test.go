// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
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

func TestReadKernelFails(t *testing.T) {
	if _, err := ReadKernel(fstest.MapFS{}); err == nil {
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
