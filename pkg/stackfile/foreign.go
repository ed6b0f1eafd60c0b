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
	drawData = `draw the data it was made of instead`
	notText  = `folded stacks of it, a text, can be drawn`
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
		{"a zip archive", unpackWith("unzip -p"), begins("PK\x03\x04")},
		{"a tar archive", "unpack it first", func(head []byte) bool { return len(head) > 262 && string(head[257:262]) == "ustar" }},
		{"an image", drawData, begins("\x89PNG\r", "\xff\xd8\xff", "%PDF-1.")},
		{"an SVG picture", drawData, matches(`(?i)\A\s*(<\?xml[^>]*\?>\s*)?(<!--[^>]*-->\s*)*(<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]`)},
		{"an HTML page", drawData, matches(`(?i)\A\s*(<!DOCTYPE html|<html(\s|>\s*<))`)},
		{"an XML document", notText, matches(`\A\s*<\?xml `)},

		{"a profile of speedscope", notText, jsonWith("speedscope.app/file-format-schema")},
		{"a trace in Chrome's format", collapse("stackcollapse-chrome-tracing.py"), jsonWith(`"traceEvents"`, `"ph":`)},
		{"a profile of V8", notText, jsonWith(`"callFrame"`)},
		{"a profile of Firefox", notText, jsonWith(`"stackTable"`, `"preprocessedProfileVersion"`)},
		{"JSON that dropwatch wrote", "draw the recording it was made of", jsonWith(`"dropwatch":`, `"drops":`, `"verdict":`)},
		{"JSON", notText, jsonWith("")},

		{"the output of perf script", collapse("stackcollapse-perf.pl"), isPerfScript},
		{"the output of perf report", `draw "perf script | stackcollapse-perf.pl" instead`, matches(`(?m)^# (Overhead|Children) .*(Command|Symbol|Shared Object)`)},
		{"a callgrind file", "it has the costs of calls and no stacks; kcachegrind shows it", matches(`(?m)\A(#[^\n]*\n|\s*\n)*(version|creator|pid|cmd|part|desc|positions|events): (?s:.*)^fn=`)},
		{"a massif file", "ms_print shows it", matches(`\Adesc: [^\n]*\ncmd: [^\n]*\ntime_unit: `)},
		{"the output of macOS's sample", collapse("stackcollapse-sample.awk"), matches(`(?m)\A(\s*\n)?(Sampling process |Analysis of sampling )|^Call graph:\n\s+\d+ Thread_`)},
		{"the output of bpftrace", collapse("stackcollapse-bpftrace.pl"), matches(`(?m)^@\w*\[(?s:.*?)^.*\]: \d+$`)},
		{"the output of DTrace", collapse("stackcollapse.pl"), matches("(?m)^\\s+\\S+`\\S+\\+0x[0-9a-f]+\n(?s:.*?)^\\s+\\d+$")},
		{"the output of bcc's profile", `run it with -f, which folds`, matches(`\ASampling at \d+ Hertz`)},
		{"a backtrace of gdb", collapse("stackcollapse-gdb.pl"), matches(`(?m)^#0 +(0x[0-9a-f]+ in )?\S+ \(.*\).*\n(.*\n)*?#1 `)},
		{"the output of eu-stack", collapse("stackcollapse-elfutils.pl"), matches(`(?m)\APID \d+ - .*\nTID \d+:\n#0 `)},
		{"a thread dump of Java", collapse("stackcollapse-jstack.pl"), matches(`(?m)^Full thread dump `)},
		{"a traceback of Python", collapse("stackcollapse-faulthandler.pl"), matches(`(?m)^(Current thread|Thread) 0x[0-9a-f]+ .*\(most recent call first\):$`)},
		{"a dump of goroutines", "take the profile of goroutines without debug=2", matches(`(?m)^goroutine \d+ (gp=\S+ m=\S+ (mp=\S+ )?)?\[[^\]]+\]:$`)},
		{"a trace of Xdebug", collapse("stackcollapse-xdebug.php"), matches(`(?m)^TRACE START \[`)},
		{"a table that pprof printed", "draw the profile itself", matches(`(?m)^Showing nodes accounting for |^\s+flat\s+flat%\s+sum%\s+cum\s+cum%`)},
		{"the traces that pprof printed", "draw the profile itself", matches(`(?m)\A(File|Build ID|Type|Time|Duration|PeriodType|Period): (?s:.*)^(-----------\+-|Samples:$)`)},
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

// matches looks at the first kilobytes, so that a search is soon over.
func matches(pattern string) func([]byte) bool {
	re := regexp.MustCompile(pattern)
	return func(head []byte) bool { return re.Match(head[:min(len(head), 32<<10)]) }
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
	perfFrame  = regexp.MustCompile(`^\s*[0-9a-f]{3,16}\s+\S.*\((\[.*\]|/.*|inlined|unknown)\)$`)
)

// isPerfScript recognises lines of samples and of frames.
func isPerfScript(head []byte) bool {
	for _, line := range bytes.SplitN(head[:min(len(head), 32<<10)], []byte("\n"), 200) {
		line = bytes.TrimRight(line, " \r")
		if perfFrame.Match(line) || perfHeader.Match(line) {
			return true
		}
	}
	return false
}
