// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
)

const sample = `ffffffff81000000 T _stext
ffffffff81000000 T startup_64
ffffffff81000100 t do_one_initcall
ffffffff81000100 T alias_of_it
ffffffff81000200 D some_data
ffffffff81000300 W weak_function
ffffffff82000000 T _etext
ffffffffa0001000 t veth_xmit	[veth]
ffffffffa0000000 t init_once	[fuse]
ffffffffc0000000 t bpf_prog_6deef7357e7b4530_drop	[bpf]
`

func TestLookup(t *testing.T) {
	table, err := ParseKallsyms(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[uint64]string{
		0xffffffff81000010: "_stext+0x10 vmlinux",
		0xffffffff81000100: "_stext+0x100 vmlinux", // a call that did not return ended the function
		0xffffffff81000101: "do_one_initcall+0x1 vmlinux",
		0xffffffff81000250: "do_one_initcall+0x150 vmlinux", // data is not code
		0xffffffff81000380: "weak_function+0x80 vmlinux",
		0xffffffffa0000080: "init_once+0x80 fuse",
		0xffffffffa0001080: "veth_xmit+0x80 veth",
		0xffffffffc0000008: "bpf_prog_6deef7357e7b4530_drop+0x8 bpf",
		0xffffffff80000000: "none",
		0:                  "none",
	} {
		got := "none"
		if s, ok := table.Lookup(addr); ok {
			got = fmt.Sprintf("%s+0x%x %s", s.Name, s.Offset, s.Module)
		}
		if got != want {
			t.Errorf("%x: %s, want %s", addr, got, want)
		}
	}
	if want := (Range{0xffffffff81000000, 0xffffffff82000000}); table.Text() != want {
		t.Errorf("Text() = %x, want %x", table.Text(), want)
	}
}

func TestHidden(t *testing.T) {
	table, err := ParseKallsyms(strings.NewReader("0000000000000000 T _stext\n0000000000000000 T b\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := table.Lookup(0xffffffff81000000); !table.Hidden() || ok {
		t.Errorf("hidden: %t, an address was named: %t", table.Hidden(), ok)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"ffffffff81000000 T a\nxyz T b\n":  `kallsyms line 2: invalid address "xyz"`,
		"hello\n":                          `kallsyms line 1: "hello" is not a symbol`,
		"12345678901234567 T a\n":          `kallsyms line 1: invalid address "12345678901234567"`,
		" T a\n":                           `kallsyms line 1: invalid address ""`,
		"1 T" + "\n":                       `kallsyms line 1: "1 T" is not a symbol`,
		"1 T a" + strings.Repeat("a", 1e5): "read kallsyms: bufio.Scanner: token too long",
	} {
		if table, err := ParseKallsyms(strings.NewReader(text)); table != nil || err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
}

// TestManyModules names functions of as many modules as there may be.
func TestManyModules(t *testing.T) {
	const base, many = 0xffffffffa0000000, 1<<16 - 1
	var text strings.Builder
	add := func(i int) { fmt.Fprintf(&text, "%x t init\t[m%d]\n", base+16*uint64(i), i) }
	for i := range many {
		add(i)
	}
	table, err := ParseKallsyms(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []int{0, 1, many - 1} {
		want := Symbol{"init", 1, fmt.Sprintf("m%d", i)}
		if got, ok := table.Lookup(base + 16*uint64(i) + 1); !ok || got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	add(many)
	table, err = ParseKallsyms(strings.NewReader(text.String()))
	if want := "kallsyms line 65536: more than 65535 modules"; table != nil || err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestThisKernel looks up every function of this kernel by its second byte.
func TestThisKernel(t *testing.T) {
	labtest.NeedRoot(t) // others may be shown no addresses
	k, err := ReadKernel(os.DirFS("/"))
	if err != nil {
		t.Fatal(err)
	}
	if k.Hidden() {
		t.Fatal("the kernel hides its addresses from root; set kernel.kptr_restrict to 0 or 1")
	}
	file, err := os.Open("/proc/kallsyms")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	checked := 0
	starts := map[uint64]map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		addr, kind, name, module, err := parseLine(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsRune("tTwW", rune(kind)) && string(module) != "bpf" {
			if starts[addr] == nil {
				starts[addr] = map[string]bool{}
			}
			starts[addr][string(name)] = true
		}
	}
	for addr, names := range starts {
		if s, ok := k.Lookup(addr + 1); !ok || s.Offset != 1 || !names[s.Name] {
			t.Fatalf("%x: %+v, want one of %v", addr+1, s, names)
		}
		checked++
	}
	if checked < 10_000 {
		t.Errorf("only %d functions", checked)
	}
}

func FuzzParseKallsyms(f *testing.F) {
	f.Add(sample)
	f.Fuzz(func(t *testing.T, text string) {
		table, err := parseKallsyms(strings.NewReader(text), 1)
		if err != nil {
			if table != nil {
				t.Error("an error and a table")
			}
			return
		}
		for _, addr := range []uint64{0, 1, 0xffffffff81000000, 1<<64 - 1} {
			if s, ok := table.Lookup(addr); ok && s.Offset > addr {
				t.Errorf("%x: offset %x", addr, s.Offset)
			}
		}
	})
}

func BenchmarkReadKernel(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadKernel(os.DirFS("/")); err != nil {
			b.Fatal(err)
		}
	}
}
