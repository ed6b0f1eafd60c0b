// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

const sampleMaps = `55d0c0a00000-55d0c0a02000 r--p 00000000 fe:01 1234                       /usr/bin/sleep
55d0c0a02000-55d0c0a06000 r-xp 00002000 fe:01 1234                       /usr/bin/sleep
55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]
7f0000001000-7f0000002000 r-xp 00000000 00:00 0 
7f0000002000-7f0000004000 r-xs 00001000 00:2f 99                         /opt/my app (deleted)
7f0000004000-7f0000005000 rwxp 00000000 00:01 7                          /memfd:jit:ab (deleted)
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
7f0000000000-7f0000001000 r-xp 00000000 fe:01 5                          /lib/a` + "\x1b" + `[2J.so
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`

func TestParseMaps(t *testing.T) {
	maps, err := parseMaps(strings.NewReader(sampleMaps), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	want := []mapping{
		{Range: symbolize.Range{Start: 0x55d0c0a02000, End: 0x55d0c0a06000}, offset: 0x2000, inode: 1234, path: "/usr/bin/sleep", module: "sleep"},
		{Range: symbolize.Range{Start: 0x7f0000000000, End: 0x7f0000001000}, inode: 5, path: "/lib/a\x1b[2J.so", module: `a\x1b[2J.so`},
		{Range: symbolize.Range{Start: 0x7f0000001000, End: 0x7f0000002000}},
		{Range: symbolize.Range{Start: 0x7f0000002000, End: 0x7f0000004000}, offset: 0x1000, inode: 99, path: "/opt/my app (deleted)", module: "my app"},
		{Range: symbolize.Range{Start: 0x7f0000004000, End: 0x7f0000005000}, inode: 7, path: "/memfd:jit:ab (deleted)", module: "memfd:jit:ab"},
		{Range: symbolize.Range{Start: 0x7ffd00000000, End: 0x7ffd00002000}, path: "[vdso]", module: "[vdso]"},
		{Range: symbolize.Range{Start: 0xffffffffff600000, End: 0xffffffffff601000}, path: "[vsyscall]", module: "[vsyscall]"},
	}
	if d := cmp.Diff(want, maps, cmp.AllowUnexported(mapping{}, fileID{})); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for addr, want := range map[uint64]int{
		0x55d0c0a01fff: -1, 0x55d0c0a02000: 0, 0x55d0c0a05fff: 0, 0x55d0c0a06000: -1,
		0x7f0000003fff: 3, 0x7f0000004000: 4, 0: -1, 1<<64 - 1: -1, 0xffffffffff600fff: 6,
	} {
		var wanted *mapping
		if want >= 0 {
			wanted = &maps[want]
		}
		if got := find(maps, addr); got != wanted {
			t.Errorf("%x: %+v, want %+v", addr, got, wanted)
		}
	}
}

func TestParseMapsErrors(t *testing.T) {
	for text, want := range map[string]string{
		"hello\n": `maps line 1: "hello" is not a mapping`,
		"1000-2000 r-xp 0 00:00 0\n1000 r-xp 0 00:00 0\n": `maps line 2: "1000 r-xp 0 00:00 0" is not a mapping`,
		"1000-2000 rx 0 00:00 0\n":                        `maps line 1: "1000-2000 rx 0 00:00 0" is not a mapping`,
		"x-2000 r-xp 0 00:00 0\n":                         `maps line 1: invalid address "x"`,
		"1000-y r-xp 0 00:00 0\n":                         `maps line 1: invalid address "y"`,
		"1000-2000 r-xp z 00:00 0\n":                      `maps line 1: invalid address "z"`,
		"1000-2000 r-xp 0 00:00 -1\n":                     `maps line 1: invalid inode "-1"`,
		"1000-2000 r-xp 0 00:00\n":                        `maps line 1: invalid inode ""`,
		strings.Repeat("a", 1e5):                          "read maps: bufio.Scanner: token too long",
	} {
		if maps, err := parseMaps(strings.NewReader(text), 1<<20); maps != nil || err == nil || err.Error() != want {
			t.Errorf("%.40q: %v, %v, want %s", text, maps, err, want)
		}
	}
	if maps, err := parseMaps(strings.NewReader(sampleMaps), 500); maps != nil || !errors.Is(err, errTooMany) {
		t.Errorf("within 500 bytes: %v, %v", maps, err)
	}
}

func FuzzParseMaps(f *testing.F) {
	f.Add(sampleMaps, uint64(0x7f0000003fff))
	f.Fuzz(func(t *testing.T, text string, addr uint64) {
		const limit = 4096
		maps, err := parseMaps(strings.NewReader(text), limit)
		if err != nil && maps != nil {
			t.Error("an error and mappings")
		}
		size := 0
		for i := range maps {
			size += maps[i].bytes()
		}
		if size > limit {
			t.Errorf("%d bytes", size)
		}
		if m := find(maps, addr); m != nil && (addr < m.Start || addr >= m.End) {
			t.Errorf("%x is not in %+v", addr, m)
		}
	})
}
