// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"encoding/json"
	"regexp"
	"sync"
)

// signature is how to tell a kind of file that holds no stacks that can be drawn.
type signature struct {
	what, do string
	matches  func(head []byte) bool
}

// collapse says which script folds the stacks of a text. They come with flamegraph.pl.
func collapse(script string) string {
	return `fold it first, as with "` + script + ` FILE | dropwatch flamegraph -"`
}

// unpackWith says how to unpack a file that is not unpacked here.
func unpackWith(command string) string {
	return `unpack it first, as with "` + command + ` FILE | dropwatch flamegraph -"`
}

const (
	bareScript = "the output of perf script without what folding takes"
	withoutF   = `make it without -F, as with "perf script | stackcollapse-perf.pl | dropwatch flamegraph -"`
	drawData   = `draw the data it was made of instead`
	notText    = `folded stacks of it, a text, can be drawn`
)

// signatures are made when a file is first looked at. Those with fixed first bytes come
// first.
var signatures = sync.OnceValue(func() []signature {
	return []signature{
		{"a perf.data file", `draw it with "perf script -i FILE | stackcollapse-perf.pl | dropwatch flamegraph -"`, begins("PERFILE2")},
		{"an execution trace of Go", `make a profile of it, as with "go tool trace -pprof=sched FILE > sched.pb.gz"`, matches(`\Ago 1\.\d+ trace\x00`)},
		{"a flight recording of Java", "draw a profile of it, as jfrconv makes one", begins("FLR\x00")},
		{"a heap dump of Java", "it has objects, no stacks of what a program does", begins("JAVA PROFILE 1.0.")},
		{"a trace.dat file", `draw it with "trace-cmd report", folded`, begins("\x17\x08\x44tracing")},
		{"a capture of packets", "it has packets and no stacks", begins("\xd4\xc3\xb2\xa1", "\xa1\xb2\xc3\xd4", "\x4d\x3c\xb2\xa1", "\xa1\xb2\x3c\x4d", "\x0a\x0d\x0d\x0a")},
		{"a program or a library", "name a profile of it", begins("\x7fELF", "MZ\x90", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe")},
		{"a database of SQLite", "export folded stacks from it", begins("SQLite format 3\x00")},
		{"a gmon.out file", "gprof shows it; it has calls and no stacks", begins("gmon\x01\x00\x00\x00", "gmon\x00\x00\x00\x01")},
		{"an xz file", unpackWith("xz -dc"), begins("\xfd7zXZ\x00")},
		{"a bzip2 file", unpackWith("bzip2 -dc"), matches(`\ABZh[1-9]1AY&SY`)},
		{"an lz4 file", unpackWith("lz4 -dc"), begins("\x04\x22\x4d\x18")},
		{"an lzip file", unpackWith("lzip -dc"), begins("LZIP\x01")},
		{"an lzma file", unpackWith("xz -dc --format=lzma"), begins("\x5d\x00\x00")},
		{"a file of compress", unpackWith("zcat"), begins("\x1f\x9d")},
		{"a 7z archive", unpackWith("7z x -so"), begins("7z\xbc\xaf\x27\x1c")},
		{"a Snappy file", "unpack it first", begins("\xff\x06\x00\x00sNaPpY")},
		{"a trace of dotnet-trace", `convert it, as with "dotnet-trace convert --format Speedscope"`, begins("Nettrace")},
		{"a trace in the Common Trace Format", "it has events; babeltrace shows them", begins("\xc1\x1f\xfc\xc1", "\xc1\xfc\x1f\xc1")},
		{"a file of heaptrack", `fold it, as with "heaptrack_print -f FILE -F stacks.folded"`, matches(`\Av [0-9a-f]+ [0-9a-f]+\n`)},
		{"a profile of cProfile", `it has calls and no stacks: "py-spy record -f raw" samples them`, begins("{)\x03", "{\xa9\x03", "\xfb)\x03", "\xfb\xa9\x03")},
		{"a recording of rbspy", `fold it, as with "rbspy report -f collapsed -i FILE"`, matches(`\Arbspy\d\d\n`)},
		{"a dump of stackprof", "have stackprof fold it", begins("\x04\x08{")},
		{"a profile of NYTProf", `fold it, as with "nytprofcalls"`, begins("NYTProf ")},
		{"a zip archive", unpackWith("unzip -p"), begins("PK\x03\x04")},
		{"a tar archive", "unpack it first", func(head []byte) bool { return len(head) > 262 && string(head[257:262]) == "ustar" }},
		{"an image", drawData, begins("\x89PNG\r", "\xff\xd8\xff", "%PDF-1.")},
		{"an SVG picture", drawData, matches(`(?i)\A\s*(<\?xml[^>]*\?>\s*)?(<!--[^>]*-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]`)},
		{"an HTML page", drawData, matches(`(?i)\A\s*(<!--[^>]*-->\s*)*(<!DOCTYPE html|<html(\s|>\s*<)|<head>\s*<)`)},
		{"an export of Instruments", collapse("inferno-collapse-xctrace"), matches(`\A\s*(<\?xml[^>]*\?>\s*)?<trace-query-result[\s>]`)},
		{"an XML document", notText, matches(`\A\s*<\?xml `)},

		{"a profile of speedscope", notText, jsonWith("speedscope.app/file-format-schema")},
		{"a trace in Chrome's format", collapse("stackcollapse-chrome-tracing.py"), jsonWith(`"traceEvents"`, `"ph":`)},
		{"a profile of V8", notText, jsonWith(`"callFrame"`)},
		{"a profile of Firefox", notText, jsonWith(`"stackTable"`, `"preprocessedProfileVersion"`, `"stackwalk"`)},
		{"JSON that bpftrace wrote", "print text, without -f json, and fold it with stackcollapse-bpftrace.pl", jsonWith(`"attached_probes"`, `{"type": "map"`)},
		{"JSON that dropwatch wrote", "draw the recording it was made of", jsonWith(`"dropwatch":`, `"drops":`, `"verdict":`)},
		{"JSON", notText, jsonWith("")},

		{"the output of perf script", collapse("stackcollapse-perf.pl"), scriptWith(func(n scriptLines) bool { return n.frames > 0 && n.tasks > 0 })},
		{bareScript, withoutF, scriptWith(func(n scriptLines) bool { return n.frames > 0 || n.bare > 0 && n.samples > 0 })},
		{"the output of perf script without stacks", `"perf record -g" records them`, scriptWith(func(n scriptLines) bool { return n.samples > 0 })},
		{"the output of perf report", fromScript, matches(`(?m)^#\s+(Overhead|Children)\s.*(Command|Symbol|Shared Object)`)},
		{"a cachegrind file", "it has the costs of lines and no stacks; cg_annotate shows it", matches(`(?m)\A(desc: .*\n)+cmd: .*\nevents: Ir\b`)},
		{"a callgrind file", "it has the costs of calls and no stacks; kcachegrind shows it", matches(`(?m)\A(#[^\n]*\n|\s*\n)*(version|creator|pid|cmd|part|desc|positions|events): (?s:.*)^fn=`)},
		{"a massif file", "ms_print shows it", matches(`\Adesc: [^\n]*\ncmd: [^\n]*\ntime_unit: `)},
		{"the output of macOS's sample", collapse("stackcollapse-sample.awk"), matches(`(?m)\A(\s*\n)?(Sampling process |Analysis of sampling )|^Call graph:\n\s+\d+ Thread_`)},
		{"the output of bpftrace", collapse("stackcollapse-bpftrace.pl"), matches(`(?m)^@\[\r?\n(?s:.*?)^.*\]: \d+\r?$`)},
		{"the output of bpftrace", `fold it first, as with "sed 's/^@[A-Za-z0-9_]*\[$/@[/' FILE | stackcollapse-bpftrace.pl | dropwatch flamegraph -"`, matches(`(?m)^@\w+\[\r?\n(?s:.*?)^.*\]: \d+\r?$`)},
		{"the output of bpftrace with something before the stack in the key", `count by @[kstack, comm] and the like, and fold it with stackcollapse-bpftrace.pl`, matches(`(?m)^@\w*\[[^;\n]*, ?\r?\n(?s:.*?)^.*\]: \d+\r?$`)},
		{"the output of bpftrace without stacks", `count by stack, as @[kstack] = count()`, matches(`(?m)\A(Attach.*\n)?(\s*\n)*@\w*\[[^;\n]*\]: \d+\r?$`)},
		{"the output of DTrace", collapse("stackcollapse.pl"), matches("(?m)^\\s+\\S+`\\S+\\+0x[0-9a-f]+\n(?s:.*?)^\\s+\\d+$")},
		{"the output of bcc's profile", `run it with -f, which folds`, matches(`\ASampling at \d+ Hertz`)},
		{"a backtrace of gdb", collapse("stackcollapse-gdb.pl"), matches(`(?m)^#0 +(0x[0-9a-f]+ in )?\S+ \(.*\).*\n(.*\n)*?#1 `)},
		{"the output of eu-stack", collapse("stackcollapse-elfutils.pl"), matches(`(?m)\APID \d+ - .*\nTID \d+:\n#0 `)},
		{"a thread dump of Java", collapse("stackcollapse-jstack.pl"), matches(`(?m)^Full thread dump `)},
		{"a traceback of Python", collapse("stackcollapse-faulthandler.pl"), matches(`(?m)^(Current thread|Thread) 0x[0-9a-f]+ .*\(most recent call first\):$`)},
		{"a dump of goroutines", "take the profile of goroutines without debug=2", matches(`(?m)^goroutine \d+ (gp=\S+ m=\S+ (mp=\S+ )?)?\[[^\]]+\]:$`)},
		{"a trace of Xdebug", collapse("stackcollapse-xdebug.php"), matches(`(?m)^TRACE START \[`)},
		{"a table that pprof printed", "draw the profile itself", matches(`(?m)^Showing nodes accounting for |^\s+flat\s+flat%\s+sum%\s+cum\s+cum%`)},
		{"the traces that pprof printed", "draw the profile itself", matches(`(?m)\A(File|Build ID|Type|Time|Duration|Comment|PeriodType|Period): (?s:.*)^(-----------\+-|Samples:$)`)},
		{"the output of gprof", "it has calls and no stacks", matches(`(?m)^Flat profile:\n\nEach sample counts as `)},
		{"a report of GHC", "draw it with ghc-prof-flamegraph, folded", matches(`Time and Allocation Profiling Report`)},
		{"a graph for Graphviz", drawData, matches(`\A\s*(strict )?digraph ["\w]`)},
		{"a text of ftrace", "it has events; fold the stacks in it first", matches(`\A# tracer: \w+`)},
	}
})

func begins(with ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, w := range with {
			if bytes.HasPrefix(head, []byte(w)) {
				return true
			}
		}
		return false
	}
}

func matches(pattern string) func([]byte) bool {
	re := regexp.MustCompile(pattern)
	return func(head []byte) bool { return re.Match(head[:min(len(head), textSize)]) }
}

// jsonWith recognises JSON that has any of some texts in it.
func jsonWith(parts ...string) func([]byte) bool {
	return func(head []byte) bool {
		if !isJSON(head) {
			return false
		}
		for _, part := range parts {
			if bytes.Contains(head, []byte(part)) {
				return true
			}
		}
		return false
	}
}

// isJSON reports whether a file begins with several tokens of an object or a list.
func isJSON(head []byte) bool {
	start := bytes.TrimLeft(head, " \t\r\n")
	if len(start) == 0 || start[0] != '{' && start[0] != '[' {
		return false
	}
	decoder := json.NewDecoder(bytes.NewReader(start))
	const enough = 4
	for range enough {
		if _, err := decoder.Token(); err != nil {
			return false
		}
	}
	return true
}

var (
	perfHeader = regexp.MustCompile(`^\s*\S.*\s\d+(/\d+)?\s+(\[\d+\]\s+)?\d+\.\d{6,9}:\s+(\d+ +)?\S+:`)
	perfTask   = regexp.MustCompile(`^\s*\S.*?\s\d+(/\d+)?\s`)
	perfFrame  = regexp.MustCompile(`^\s*[0-9a-f]{3,16}\s+\S.*\((\[.*\]|/.*|inlined|unknown)\)$`)
)

// scriptLines is how many lines of a kind a text of perf script has.
type scriptLines struct {
	samples, tasks int // tasks: with the number of the task, by which a stack begins
	frames, bare   int // with a module, and without
}

// perfScript counts lines behind the comments at the start.
func perfScript(head []byte) (n scriptLines) {
	for len(head) > 0 && head[0] == '#' {
		_, head, _ = bytes.Cut(head, []byte("\n"))
	}
	for line := range bytes.Lines(head[:min(len(head), textSize)]) {
		line = bytes.TrimRight(line, " \r\n")
		switch {
		case bytes.HasSuffix(line, []byte(")")) && perfFrame.Match(line):
			n.frames++
		case len(line) > 0 && (line[0] == ' ' || line[0] == '\t') && bareFrame.Match(line):
			n.bare++
		case (bytes.HasSuffix(line, []byte(":")) || bytes.Contains(line, []byte(": "))) && perfHeader.Match(line):
			n.samples++
			n.tasks++
		case perfTask.Match(line):
			n.tasks++
		}
	}
	return n
}

// scriptWith recognises a text of perf script.
func scriptWith(is func(scriptLines) bool) func(head []byte) bool {
	return func(head []byte) bool { return is(perfScript(head)) }
}
