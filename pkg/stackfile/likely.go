// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"bytes"
	"regexp"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Likely returns what a file seems to be of which most lines are no folded stacks, nil if
// that is not known. Signs are weaker than those that Open goes by: a frame may look like
// them.
func (f *File) Likely() *ForeignError {
	for _, s := range likely() {
		if s.matches(f.head) {
			return &ForeignError{What: s.what, Do: s.do}
		}
	}
	return nil
}

const (
	fromScript = `draw "perf script | stackcollapse-perf.pl" instead`
	theProfile = `draw the profile itself`
	oneMoment  = `it has stacks of one moment: sample many, as with "perf record -g"`
	aRecording = `draw the recording it was made of`
)

// likely are the signatures that Likely tries, in order.
var likely = sync.OnceValue(func() []signature {
	return []signature{
		{bareScript, withoutF, isBareScript},
		{"the output of perf report", fromScript, matches(`(?m)^ +\d+\.\d+% .*(\[[.kguH]\] |%)|^\. \.\.\. raw event: size `)},
		{"the output of perf diff", fromScript, matches(`(?m)^#\s+Baseline\s+Delta`)},
		{"the output of perf annotate", fromScript, matches(`(?m)^ Percent\s*\|\s+Source code & Disassembly`)},
		{"the output of perf stat", `it has counts and no stacks: "perf record -g" samples them`, matches(`(?m)^ Performance counter stats for |\A# started on .*\n\n[\d.]+,`)},
		{"the output of a bcc tool", "run it with -f, with which those that have stacks fold them", matches(`(?m)\A\s*Tracing .*Hit Ctrl-C to end`)},
		{"the output of bpftrace", `count by stack, as @[kstack] = count(), and fold it with stackcollapse-bpftrace.pl`, matches(`(?m)\AAttach(ing|ed) \d+ probe|^@\w*(\[.*)?(: ?|,? ?)$`)},
		{"the source that pprof printed", theProfile, matches(`(?m)^ROUTINE =+ |\ATotal: \S+\n(No source information|no matches)`)},
		{"the tags that pprof printed", theProfile, matches(`\A ?\S+: Total .*\n\s+\S+ \( *\S+%\): `)},
		{"the comments that pprof printed", theProfile, matches(`\Adropwatch \S+, Linux .*\ncommand: dropwatch `)},
		{"the output of py-spy dump", `it has stacks of one moment: sample many, as with "py-spy record -f raw"`, matches(`(?m)\AProcess \d+: .*\nPython v\d`)},
		{"a traceback of Python", oneMoment, matches(`(?m)^Traceback \(most recent call last\):`)},
		{"a text with stack traces of Java", collapse("stackcollapse-java-exceptions.pl"), matches(`(?m)^\s+at [\w.$/<>]+\([^)\n]*\)\r?$`)},
		{"a text with stack traces of JavaScript", oneMoment, matches(`(?m)^\s+at .*:\d+:\d+\)?\r?$`)},
		{"a log of V8", `take a profile instead, as with "node --cpu-prof"`, matches(`\Av8-version,|\AStatistical profiling result from `)},
		{"a backtrace of lldb", oneMoment, matches(`(?m)^\s*\*? ?frame #0: 0x`)},
		{"a backtrace of crash", oneMoment, matches(`(?m)^ *#0 \[[0-9a-f]+\] \S+ at [0-9a-f]+`)},
		{"a backtrace of a sanitizer or a debugger", oneMoment, matches(`(?m)^\s*#0\s+0x[0-9a-f]+ `)},
		{"a log of valgrind", "it has no stacks of what a program does", matches(`(?m)^==\d+== `)},
		{"a table that valgrind's tools printed", "it has costs and no stacks", matches(`(?m)^(Massif arguments: |Profile data file '.*creator: (callgrind|cachegrind))`)},
		{"the output of strace", "it has system calls and no samples of stacks", matches(`(?m)^(\[pid +\d+\] |\d+ +)?([\d:.]+ )?\w+\(.*\) += |^% time +seconds +usecs/call`)},
		{"the output of perf trace", "it has system calls and no samples of stacks", matches(`(?m)^ +\d+\.\d+ \( *(\d+\.\d+ ms)?\s*\): `)},
		{"the output of sysdig", "it has system calls and no samples of stacks", matches(`(?m)^\d+ \d\d:\d\d:\d\d\.\d+ \d+ \S+ \(\S+\) [<>] `)},
		{"a text with kernel stacks of a task", oneMoment, matches(`(?m)^\[<[0-9a-f]+>\] \S+\+0x`)},
		{"a text of ftrace", `it has events: "perf record -g" samples stacks of them`, matches(`(?m)^ *\S.*-\d+ +(\(\S+\) +)?\[\d+\] +(\S{4,5} +)?\d+\.\d+: \w+|\Acpus=\d+\n`)},
		{"a kernel's log", oneMoment, matches(`(?m)^(<\d+>)?\[ *\d+\.\d+\]|^.*\bCall Trace:$`)},
		{"a text that dropwatch printed", aRecording, matches(`\A(A  .*: )?\d{4}-\d\d-\d\d \d\d:\d\d:\d\d on .*, Linux .*: (\S+ drops? in|watched for) |\A\d\d:\d\d:\d\d\.\d{6} (.* at \S+\+0x[0-9a-f]+ \[|.* on CPU \d+ waited )`)},
		{"the output of another dropwatch", `it has places and no stacks: record them, as with "sudo dropwatch record"`, matches(`(?m)^dropwatch> |^\d+ drops at \S+\+`)},
		{"the output of async-profiler", `make it with "-o collapsed"`, matches(`(?m)^--- (Execution profile ---$|\d+ ns \()|^\s+ns\s+percent\s+samples\s+top$`)},
		{"the output of cProfile", `it has calls and no stacks: "py-spy record -f raw" samples them`, matches(`(?m)^ +ncalls +tottime +percall `)},
		{"the output of SystemTap", collapse("stackcollapse-stap.pl"), matches(`(?m)^\s*0x[0-9a-f]+ : \S+\+0x[0-9a-f]+/0x[0-9a-f]+ \[`)},
		{"a javacore of IBM's Java", collapse("stackcollapse-ibmjava.pl"), matches(`(?m)^3XMTHREADINFO `)},
		{"a report of Visual Studio", collapse("stackcollapse-vsprof.pl"), matches(`\A"?Level"?,"?Function Name"?,`)},
		{"the output of pmcstat", collapse("stackcollapse-pmc.pl"), matches(`(?m)^@ \S+ \[\d+ samples\]$`)},
		{"the output of VTune", collapse("stackcollapse-vtune.pl"), matches(`\AFunction Stack[,\t]`)},
		{"a deep copy of Instruments", collapse("stackcollapse-instruments.pl"), matches(`\ARunning Time[\t,]`)},
		{"an older profile of pprof whose header is not at its start", "take off what is before the header", matches(`(?m)^\s*(heap profile: +\d+:|--- (contentionz|heapz|threadz) \d+ ---|--- (mutex|contention):\s*$|\S+ profile: total \d+\s*$)`)},
		{"a table of values with commas", "stacks are folded as frames with a semicolon between them, a space and a count", isTable},
		{"JSON", notText, matches(`\A\s*([\[{]|"[^"\n]*"\s*\z)`)},
		{"binary data of a kind that is not known", "", isNoText},
	}
})

// bareFrame is a frame of perf script without a module, or without a name. An address has
// a digit, and one without a name a letter: other tools have counts on lines of their own.
var bareFrame = regexp.MustCompile(`^\s+([a-f]*[0-9][0-9a-f]{2,15} \S.*|[0-9]*[a-f][0-9a-f]{2,15})$`)

// isBareScript reports whether at least a third of the lines are such frames.
func isBareScript(head []byte) bool {
	frames, all := 0, 0
	for line := range bytes.Lines(head) {
		line = bytes.TrimRight(line, " \r\n")
		if len(line) == 0 {
			continue
		}
		all++
		if bareFrame.Match(line) {
			frames++
		}
	}
	return frames > 0 && 3*frames >= all
}

// isTable reports whether all lines have equally many commas.
func isTable(head []byte) bool {
	const some = 3
	commas, lines := -1, 0
	for line := range bytes.Lines(head) {
		n := bytes.Count(line, []byte(","))
		if n == 0 || commas >= 0 && n != commas || line[len(line)-1] != '\n' {
			return false
		}
		commas = n
		lines++
	}
	return lines >= some
}

// isNoText reports whether a tenth of a file is bytes that are no letters in UTF-8.
func isNoText(head []byte) bool {
	const most = 10 // percent
	n := 0
	for rest := head; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 || r < ' ' && !unicode.IsSpace(r) && r != '\x1b' {
			n++
		}
		rest = rest[size:]
	}
	return 100*n > most*len(head)
}
