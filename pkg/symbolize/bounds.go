// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"
)

// bounds says where code ends. /proc/kallsyms has no sizes: a function ends at the next one
// at the latest, and the next one may be far away.
type bounds struct {
	ranges   map[string]Range // of modules; since 6.4 the size covers code and data
	bases    []uint64         // start addresses of modules, sorted
	programs []Range          // of BPF programs, sorted
}

const (
	// onePage is the largest size of a BPF trampoline (arch_alloc_bpf_trampoline), of an
	// ftrace trampoline, and of a page of kprobes' instructions.
	onePage = 4 << 10
	// someCode bounds a function whose end is unknown. The largest functions of a kernel
	// have 20 to 30 KiB.
	someCode = 64 << 10
)

// unknownBPF is the symbol of code outside the image, the modules and the listed BPF
// programs. It belongs to a program that the kernel does not list, as
// net.core.bpf_jit_harden demands, or that was loaded or freed since the last listing.
const unknownBPF = "[bpf]"

const bpfModule = "bpf"

// parseModules reads /proc/modules: "veth 45056 0 - Live 0xffffffffc0a00000". It leaves out
// modules whose address is hidden.
func parseModules(r io.Reader) (map[string]Range, error) {
	modules := map[string]Range{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		fields := bytes.Fields(lines.Bytes())
		if len(fields) < 6 {
			return nil, fmt.Errorf("modules line %d: %q is not a module", n, lines.Bytes())
		}
		size, err := parseDecimal(fields[1])
		if err != nil {
			return nil, fmt.Errorf("modules line %d: %w", n, err)
		}
		start, err := ParseHex(bytes.TrimPrefix(fields[5], []byte("0x")))
		if err != nil {
			return nil, fmt.Errorf("modules line %d: %w", n, err)
		}
		if start != 0 && start+size >= start {
			modules[string(fields[0])] = Range{start, start + size}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read modules: %w", err)
	}
	return modules, nil
}

func parseDecimal(text []byte) (v uint64, err error) {
	for _, c := range text {
		if c < '0' || c > '9' || v > math.MaxUint32 {
			return 0, fmt.Errorf("invalid size %q", text)
		}
		v = v*10 + uint64(c-'0')
	}
	return v, nil
}

// setModules sets the address ranges of modules.
func (b *bounds) setModules(modules map[string]Range) {
	b.ranges, b.bases = modules, nil
	for _, r := range modules {
		b.bases = append(b.bases, r.Start)
	}
	slices.Sort(b.bases)
}

// setPrograms sets the address ranges of BPF programs.
func (b *bounds) setPrograms(programs []Range) {
	b.programs = slices.Clone(programs)
	slices.SortFunc(b.programs, func(x, y Range) int { return cmp.Compare(x.Start, y.Start) })
}

// end returns the end of the function that begins at start.
func (t *Table) end(start uint64, name, module string) uint64 {
	switch {
	case module == vmlinux:
		for _, r := range []Range{t.text, t.init} {
			if r.holds(start) {
				return r.End
			}
			if start == r.End {
				return start // a marker such as _etext, not a function
			}
		}
	case module == bpfModule:
		if i := sort.Search(len(t.programs), func(i int) bool { return t.programs[i].End > start }); i < len(t.programs) && t.programs[i].holds(start) {
			return t.programs[i].End
		}
		if !strings.HasPrefix(name, "bpf_prog_") {
			return start + onePage
		}
	case strings.HasPrefix(module, "__builtin__"): // of ftrace and kprobes, kernel/kallsyms.c
		return start + onePage
	default:
		if r, ok := t.ranges[module]; ok && r.holds(start) {
			next := sort.Search(len(t.bases), func(i int) bool { return t.bases[i] > start })
			if next < len(t.bases) {
				return min(r.End, t.bases[next])
			}
			return r.End
		}
	}
	return start + someCode
}

// x86Image is the lowest address at which x86-64 maps the kernel image. Modules and BPF
// programs lie above the image (Documentation/arch/x86/x86_64/mm.rst).
const x86Image = 0xffffffff80000000

// elsewhere names an address that is in no known function. An address in the kernel half
// that is neither in the image nor in a module belongs to BPF.
func (t *Table) elsewhere(addr uint64) (Symbol, bool) {
	if addr < 1<<63 || t.text.End == 0 || addr >= t.text.Start && addr < max(t.text.End, t.init.End) {
		return Symbol{}, false
	}
	if t.text.Start >= x86Image && addr < t.text.Start {
		return Symbol{}, false
	}
	for _, r := range t.ranges {
		if r.holds(addr) {
			return Symbol{}, false
		}
	}
	return Symbol{Name: unknownBPF, Module: bpfModule}, true
}

func (r Range) holds(addr uint64) bool { return addr >= r.Start && addr < r.End }
