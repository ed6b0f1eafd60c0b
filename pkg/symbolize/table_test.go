// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
)

const sample = `ffffffff81000000 T _stext
ffffffff81000000 T startup_64
ffffffff81000100 t do_one_initcall
ffffffff81000100 T alias_of_it
ffffffff81000200 D some_data
ffffffff81000300 W weak_function
ffffffff81000410 t __pfx_net_tx_action
ffffffff81000420 t net_tx_action
ffffffff82000000 T _etext
ffffffff83000000 T _sinittext
ffffffff83000000 t start_kernel
ffffffff83001000 T _einittext
ffffffffa0001000 t veth_xmit	[veth]
ffffffffa0000000 t init_once	[fuse]
ffffffffa0004000 t nf_hook	[nf]
ffffffffc0000000 t bpf_prog_6deef7357e7b4530_drop	[bpf]
ffffffffc0000400 t bpf_prog_6deef7357e7b4531_tick	[bpf]
ffffffffc0020000 t bpf_trampoline_6442536467	[bpf]
ffffffffc0030000 t ftrace_trampoline	[__builtin__ftrace]
ffffffffc0040000 t bpf_prog_6deef7357e7b4532_new	[bpf]
`

// sampleModules has one whose text is followed by another's, and one whose size is that of
// its data too.
const sampleModules = `veth 8192 0 - Live 0xffffffffa0001000
fuse 4096 1 - Live 0xffffffffa0000000
nf 16384 2 veth,fuse, Live 0xffffffffa0004000 (OE)
hidden 4096 0 - Live 0x0000000000000000
`

// samplePrograms are the lengths of two of the programs, and one that is not listed.
func samplePrograms() []Range {
	return []Range{{0xffffffffc0000400, 0xffffffffc0000480}, {0xffffffffc0000000, 0xffffffffc0000123}, {0xffffffffc0010000, 0xffffffffc0010100}}
}

// named returns the symbol of an address as text.
func named(l interface{ Lookup(uint64) (Symbol, bool) }, addr uint64) string {
	s, ok := l.Lookup(addr)
	if !ok {
		return "none"
	}
	return fmt.Sprintf("%s+0x%x %s", s.Name, s.Offset, s.Module)
}

func TestLookup(t *testing.T) {
	table, err := ParseKallsyms(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	modules, err := parseModules(strings.NewReader(sampleModules))
	if err != nil {
		t.Fatal(err)
	}
	table.setModules(modules)
	table.setPrograms(samplePrograms())
	for addr, want := range map[uint64]string{
		0xffffffff81000010: "_stext+0x10 vmlinux",
		0xffffffff81000100: "_stext+0x100 vmlinux", // a call that did not return ended the function
		0xffffffff81000101: "do_one_initcall+0x1 vmlinux",
		0xffffffff81000250: "do_one_initcall+0x150 vmlinux", // data is not code
		0xffffffff81000380: "weak_function+0x80 vmlinux",
		0xffffffff81000420: "net_tx_action+0x0 vmlinux", // nothing calls from padding
		0xffffffff81000418: "__pfx_net_tx_action+0x8 vmlinux",
		0xffffffff82000000: "net_tx_action+0xfffbe0 vmlinux",
		0xffffffff82000001: "none", // past the text
		0xffffffff83000010: "_sinittext+0x10 vmlinux",
		0xffffffff83001001: "[bpf]+0x0 bpf", // past the image
		0xffffffffa0000080: "init_once+0x80 fuse",
		0xffffffffa0001000: "init_once+0x1000 fuse",
		0xffffffffa0001080: "veth_xmit+0x80 veth",
		0xffffffffa0003000: "veth_xmit+0x2000 veth",
		0xffffffffa0003001: "[bpf]+0x0 bpf", // past the module
		0xffffffffa0004010: "nf_hook+0x10 nf",
		0xffffffffc0000008: "bpf_prog_6deef7357e7b4530_drop+0x8 bpf",
		0xffffffffc0000123: "bpf_prog_6deef7357e7b4530_drop+0x123 bpf",
		0xffffffffc0000124: "[bpf]+0x0 bpf", // past the program
		0xffffffffc0000481: "[bpf]+0x0 bpf",
		0xffffffffc0010010: "[bpf]+0x0 bpf", // a program that is not listed
		0xffffffffc0020010: "bpf_trampoline_6442536467+0x10 bpf",
		0xffffffffc0021001: "[bpf]+0x0 bpf", // past the trampoline
		0xffffffffc0031000: "ftrace_trampoline+0x1000 __builtin__ftrace",
		0xffffffffc0031001: "[bpf]+0x0 bpf",
		0xffffffffc0041000: "bpf_prog_6deef7357e7b4532_new+0x1000 bpf", // its length is not known
		0xffffffffc0050001: "[bpf]+0x0 bpf",
		0xffffffff80000000: "none",
		0x00007f0000000000: "none",
		0:                  "none",
	} {
		if got := named(table, addr); got != want {
			t.Errorf("%x: %s, want %s", addr, got, want)
		}
	}
	if want := (Range{0xffffffff81000000, 0xffffffff82000000}); table.Text() != want {
		t.Errorf("Text() = %x, want %x", table.Text(), want)
	}
}

// TestHiddenPrograms looks up addresses of BPF programs that the kernel does not list, as
// net.core.bpf_jit_harden demands.
func TestHiddenPrograms(t *testing.T) {
	var shown strings.Builder
	for line := range strings.Lines(sample) {
		if !strings.Contains(line, "[") {
			shown.WriteString(line)
		}
	}
	table, err := ParseKallsyms(strings.NewReader(shown.String()))
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[uint64]string{
		0xffffffff83000010: "_sinittext+0x10 vmlinux", 0xffffffff83001001: "[bpf]+0x0 bpf", 0xffffffffc0831c97: "[bpf]+0x0 bpf",
	} {
		if got := named(table, addr); got != want {
			t.Errorf("%x: %s, want %s", addr, got, want)
		}
	}
}

func TestParseModules(t *testing.T) {
	for text, want := range map[string]string{
		"veth\n":                             `modules line 1: "veth" is not a module`,
		"veth x 0 - Live 0xffffffffa0000000": `modules line 1: invalid size "x"`,
		"veth 1 0 - Live 0xhello":            `modules line 1: invalid address "hello"`,
		strings.Repeat("a", 1<<17):           "read modules: bufio.Scanner: token too long",
	} {
		if modules, err := parseModules(strings.NewReader(text)); modules != nil || err == nil || err.Error() != want {
			t.Errorf("%.20q: %v, error %v, want %s", text, modules, err, want)
		}
	}
}

func FuzzParseModules(f *testing.F) {
	f.Add(sampleModules)
	f.Add("m 18446744073709551615 0 - Live 0xffffffffffffffff\n")
	f.Fuzz(func(t *testing.T, text string) {
		modules, err := parseModules(strings.NewReader(text))
		if err != nil && modules != nil {
			t.Error("an error and modules")
		}
		for name, r := range modules {
			if r.End < r.Start || r.Start == 0 {
				t.Errorf("%s is at %x", name, r)
			}
		}
	})
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
	k, err := ReadKernel(os.DirFS("/"), nil)
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
		if strings.ContainsRune("tTwW", rune(kind)) && string(module) != "bpf" && !strings.HasSuffix(string(name), "_etext") && string(name) != "_einittext" {
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
		if _, err := ReadKernel(os.DirFS("/"), nil); err != nil {
			b.Fatal(err)
		}
	}
}
