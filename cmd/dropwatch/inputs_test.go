// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"
)

// cpuTime is a profile in the format of gperftools, with its mappings.
func cpuTime() []byte {
	var b bytes.Buffer
	for _, word := range []uint64{0, 3, 0, 10_000, 0, 7, 2, 0x401000, 0x402001, 5, 1, 0x403000, 0, 1, 0} {
		b.Write(binary.LittleEndian.AppendUint64(nil, word))
	}
	b.WriteString("00400000-00500000 r-xp 00000000 fe:01 12 /bin/app\nbuild=/x\n")
	return b.Bytes()
}

// difference returns what go tool pprof makes of two profiles.
func difference(t *testing.T, flag string) []byte {
	t.Helper()
	before, after := proto(t, program(9, 40, 3)), proto(t, program(4, 40, 8))
	file := filepath.Join(t.TempDir(), "difference.pb.gz")
	out, err := exec.Command("go", "tool", "pprof", "-proto", "-output="+file, flag+"="+written(t, before), written(t, after)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// program is a profile of C++ that leaves out its allocator.
func program(values ...int64) *profile.Profile {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "calls", Unit: "count"}, {Type: "cost", Unit: "count"}},
		DropFrames: "tc::.*", KeepFrames: "tc::large",
	}
	for i, f := range []profile.Function{
		{Name: "main", SystemName: "main"}, {SystemName: "_ZN2tc5allocEm"}, {Name: "_ZN2tc5largeEm", SystemName: "_ZN2tc5largeEm"},
	} {
		f.ID = uint64(i + 1)
		p.Function = append(p.Function, &f)
		p.Location = append(p.Location, &profile.Location{ID: f.ID, Line: []profile.Line{{Function: &f}}})
	}
	for i, v := range values {
		p.Sample = append(p.Sample, &profile.Sample{Location: []*profile.Location{p.Location[i], p.Location[0]}, Value: []int64{1, v}})
	}
	return p
}

func proto(t *testing.T, p *profile.Profile) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func written(t *testing.T, content []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "input")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func inputFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../testdata/inputs", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestAsPProf reads what go tool pprof reads, and compares the total of the values that
// are shown, by its -raw, and the functions, by its -top.
func TestAsPProf(t *testing.T) {
	for name, content := range map[string][]byte{
		"uncompressed":    inputFile(t, "uncompressed.pb"),
		"no default type": inputFile(t, "no-default-type.pb.gz"),
		"drop_frames":     proto(t, program(5, 7, 11)),
		"a difference":    difference(t, "-base"),
		"heap": []byte("heap profile: 3: 160 [5: 320] @ heap/1048576\n1: 128 [2: 256] @ 0x47c08c 0x4143c8\n" +
			"#\t0x47c08b\tmain.grow+0xcb\t/m.go:5\n#\t0x4143c7\tmain.main+0xe7\t/m.go:9\n\n2: 32 [3: 64] @ 0x4143c8\n#\t0x4143c7\tmain.main+0xe7\t/m.go:9\n" +
			"\n# runtime.MemStats\n# Alloc = 12\n"),
		"contention": []byte("--- contentionz 1 ---\ncycles/second = 1000000000\nsampling period = 100\n" +
			"  31245 12 @ 0x401001 0x402001\n  500 1 @ 0x402001\n--- Memory map: ---\n  00400000-00500000: /bin/app\n"),
		"mutex": []byte("--- mutex:\ncycles/second=2000000000\nsampling period=5\n8000 3 @ 0x401001 0x402001\n#\t0x401000\tmain.lock+0x1\t/m.go:3\n"),
		"threads": []byte("--- threadz 1 ---\n\n--- Thread 7f01 (name: main/1) stack: ---\n  PC:  0x401000: poll\n  0x402001: main\n" +
			"--- Thread 7f02 (name: io/2) stack: ---\n  [same as previous thread]\n--- Thread 7f03 (name: gc/3) stack: ---\n  0x403000: sweep\n" +
			"--- Memory map: ---\n  00400000-00500000: /bin/app\n  build=/x\n  00600000-00700000: $build/lib\n"),
		"goroutines": []byte("goroutine profile: total 9\n7 @ 0x442931 0x47cd1d\n#\t0x442930\tmain.wait+0xb0\t/m.go:8\n#\t0x47cd1c\tmain.main+0x5a\t\t/m.go:3\n\n2 @ 0x47cd1d\n"),
		"java": []byte("--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\n" +
			"            4     2 @ 0x00000003 0x00000004\n            9     1 @ 0x00000004\n\n 0x00000003 com.example.Lock.take (Lock.java:12)\n 0x00000004 com.example.Main.main (Main.java:3)\n"),
		"CPU time": cpuTime(),
		"heap behind a byte order mark, indented": []byte("\xef\xbb\xbf  heap profile:  1: 128 [2: 256] @heap/1\n1: 128 [2: 256] @ 0x47c08c\n"),
		"heap in a log":             []byte("I0101 12:00:00 heap profile: 1: 128 [2: 256] @ heapprofile at exit\n1: 128 [2: 256] @ 0x47c08c\n"),
		"growth":                    []byte("  heap profile: 1: 128 [1: 128] @ growthz\n1: 128 [1: 128] @ 0x47c08c\n"),
		"fragmentation":             []byte("heap profile: 1: 128 [1: 128] @ fragmentationz\n1: 128 [1: 128] @ 0x47c08c\n"),
		"contention without a name": []byte("--- contention: now\ncycles/second=1000000000\n80000 3 @ 0x401001 0x402001\n"),
		"threads in a log":          []byte("\n # now\n12:00:00 --- threadz 1 ---\n\n--- Thread 7f01 (name: main/1) stack: ---\n  PC:  0x401000: poll\n  0x402001: main\n--- Memory map: ---\n"),
	} {
		t.Run(name, func(t *testing.T) {
			file := written(t, content)
			raw, total := pprofTotal(t, file)
			theirs := pprofFunctions(t, file)
			for _, arg := range []string{file, "-"} {
				drawn, functions := drawnTotal(t, arg, content)
				if drawn != total || total == 0 {
					t.Errorf("%s: the total is %d, and %d for pprof:\n%s", arg, drawn, total, raw)
				}
				for _, f := range theirs {
					if !functions[f] {
						t.Errorf("%s: %s is not drawn, but %v", arg, f, functions)
					}
				}
			}
		})
	}
}

// pprofTotal returns the sum of what pprof shows of a profile, without signs, as its
// driver does (internal/report, computeTotal).
func pprofTotal(t *testing.T, file string) (raw string, total uint64) {
	t.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-symbolize=local", "-raw", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, samples, _ := strings.Cut(string(out), "Samples:\n")
	types, samples, _ := strings.Cut(samples, "\n")
	samples, _, _ = strings.Cut(samples, "Locations\n")
	column := len(strings.Fields(types)) - 1
	for line := range strings.Lines(samples) {
		text, _, _ := strings.Cut(line, ":")
		values := strings.Fields(text)
		if len(values) <= column {
			continue // a label
		}
		v, err := strconv.ParseInt(values[column], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		total += uint64(max(v, -v))
	}
	return string(out), total
}

// pprofFunctions returns the functions that pprof shows, but not where it knows none.
func pprofFunctions(t *testing.T, file string) (names []string) {
	t.Helper()
	out, err := exec.Command("go", "tool", "pprof", "-symbolize=local", "-top", "-nodefraction=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ *\S+ +\S+ +\S+ +\S+ +\S+  ([^<\[\n].*?)( \(inline\))?$`)
	_, table, _ := strings.Cut(string(out), "cum%\n")
	for _, match := range line.FindAllStringSubmatch(table, -1) {
		names = append(names, match[1])
	}
	return names
}

// drawnTotal returns what a picture says of all stacks, and the names of its frames.
func drawnTotal(t *testing.T, arg string, stdin []byte) (uint64, map[string]bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "flamegraph", arg)
	cmd.Env, cmd.Stdin, cmd.Stderr = append(os.Environ(), asDropwatch+"=1"), bytes.NewReader(stdin), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("flamegraph %s: %v", arg, err)
	}
	all := regexp.MustCompile(`<title>all\n([\d,]+)`).FindSubmatch(out)
	if all == nil {
		t.Fatal("no frame for all stacks")
	}
	total, err := strconv.ParseUint(strings.ReplaceAll(string(all[1]), ",", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	var list string
	if err := xml.Unmarshal(regexp.MustCompile(`<metadata class="names">[^<]*</metadata>`).Find(out), &list); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for name := range strings.SplitSeq(list, "\n") {
		names[name] = true
	}
	return total, names
}

// TestComparedWithBase draws what go tool pprof -diff_base writes.
func TestComparedWithBase(t *testing.T) {
	total, names := drawnTotal(t, "-", difference(t, "-diff_base"))
	// main is 13 → 14, tc::alloc 40 both times and left out, tc::large 3 → 8.
	if diff := cmp.Diff(map[string]bool{"main": true, "tc::large": true}, names); diff != "" || total != 40+9+8 {
		t.Errorf("the total is %d, frames (-want +got):\n%s", total, diff)
	}
}
