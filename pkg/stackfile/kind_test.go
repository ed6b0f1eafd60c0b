// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestForeign(t *testing.T) {
	for want, text := range map[string]string{
		"a perf.data file":                      "PERFILE2h\x00\x00\x00",
		"an execution trace of Go":              "go 1.26 trace\x00\x00\x00",
		"a flight recording of Java":            "FLR\x00\x00\x02",
		"a heap dump of Java":                   "JAVA PROFILE 1.0.2\x00",
		"a trace.dat file":                      "\x17\x08\x44tracing6\x00",
		"a capture of packets":                  "\xd4\xc3\xb2\xa1\x02\x00\x04\x00",
		"a program or a library":                "\x7fELF\x02\x01\x01\x00",
		"a database of SQLite":                  "SQLite format 3\x00\x10\x00",
		"a gmon.out file":                       "gmon\x01\x00\x00\x00",
		"an xz file":                            "\xfd7zXZ\x00\x00\x04",
		"a bzip2 file":                          "BZh91AY&SY\x00",
		"an lz4 file":                           "\x04\x22\x4d\x18\x64",
		"a zip archive":                         "PK\x03\x04\x14\x00",
		"a tar archive":                         strings.Repeat("\x00", 257) + "ustar\x0000",
		"an image":                              "\x89PNG\r\n\x1a\n",
		"an SVG picture":                        "<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\">\n<text>a 1</text>",
		"an HTML page":                          "\n<!doctype html>\n<html><p>word 5\n",
		"an XML document":                       `<?xml version="1.0"?><pmd version="6">`,
		"an export of Instruments":              "<?xml version=\"1.0\"?>\n<trace-query-result>\n<node>",
		"an lzip file":                          "LZIP\x01\x0c",
		"an lzma file":                          "\x5d\x00\x00\x80\x00",
		"a file of compress":                    "\x1f\x9d\x90\x61",
		"a 7z archive":                          "7z\xbc\xaf\x27\x1c\x00\x04",
		"a Snappy file":                         "\xff\x06\x00\x00sNaPpY\x00",
		"a trace of dotnet-trace":               "Nettrace\x14\x00\x00\x00",
		"a trace in the Common Trace Format":    "\xc1\x1f\xfc\xc1\x00",
		"a file of heaptrack":                   "v 10500 3\nx 7 /bin/w\nt 1 0\n",
		"a profile of cProfile":                 "\xfb)\x03\xfa\x04t.py\xe9\x01\x00\x00\x00",
		"a recording of rbspy":                  "rbspy02\n{\"start_time\":1}\n",
		"a dump of stackprof":                   "\x04\x08{\x0d:\x0cversion",
		"a profile of NYTProf":                  "NYTProf 5 0\n#Perl profile database.\n",
		"JSON that bpftrace wrote":              `{"type": "attached_probes", "data": {"probes": 1}}` + "\n" + `{"type": "map", "data": {"@": {"a": 5}}}`,
		"a cachegrind file":                     "desc: I1 cache:         65536 B, 64 B, 4-way associative\ncmd: /bin/true\nevents: Ir\nfl=/w.c\nfn=main\n3 5\n",
		"the output of bpftrace without stacks": "Attaching 1 probe...\n\n\n@x[ls, 123]: 4\n@x[cat, 3]: 7\n",
		"the output of bpftrace with something before the stack in the key": "Attached 1 probe\n@[bash, \n    kfree_skb+1\n    tcp_v4_rcv+20\n]: 5\n",
		bareScript: "w 12345/12345 [001] 4021.581911: cpu-clock:\n\t            113f f\n\n",
		"the output of perf script without stacks": "# ========\n" + strings.Repeat("# CPU\n", 9000) + "w 12345/12345 [001] 4021.581911: cpu-clock:\nw 12345/12345 [001] 4021.581912: cpu-clock:\n",
		"a profile of speedscope":                  `{"exporter":"x","$schema":"https://www.speedscope.app/file-format-schema.json"}`,
		"a trace in Chrome's format":               `[{"name":"f","ph":"B","ts":1}]`,
		"a profile of V8":                          `{"nodes":[{"id":1,"callFrame":{"functionName":"(root)"}}]}`,
		"a profile of Firefox":                     `{"meta":{"version":1,"preprocessedProfileVersion":50}}`,
		"JSON that dropwatch wrote":                `{"time":"2026-11-28T14:00:00Z","verdict":"BH_OFF"}`,
		"JSON":                                     "{\n  \"a\": [1, 2]\n}\n",
		"the output of perf script":                "w 12345/12345 [001] 4021.581911:     250000 cpu-clock:pppH: \n\t            113f f+0x12 (/tmp/w)\n\n",
		"the output of perf report":                "# To display the perf.data header info\n#\n# Children      Self  Command  Shared Object  Symbol\n   100.00%   100.00%  w  w  [.] f\n",
		"a callgrind file":                         "# callgrind format\nversion: 1\ncreator: callgrind-3.24.0\npid: 12\nevents: Ir\n\nfn=(1) main\n16 400\n17 2\n",
		"a massif file":                            "desc: --massif-out-file=x\ncmd: /bin/true\ntime_unit: i\n#-----------\nsnapshot=0\n",
		"the output of macOS's sample":             "Analysis of sampling app (pid 7) every 1 millisecond\nCall graph:\n    2532 Thread_1\n      2532 start 12\n",
		"the output of bpftrace":                   "Attaching 1 probe...\n\n@[\n    kfree_skb+1\n    tcp_v4_rcv+20\n]: 5\n",
		"the output of DTrace":                     "\n              genunix`cv_wait+0x61\n              unix`thread_start+0x8\n               12\n",
		"the output of bcc's profile":              "Sampling at 49 Hertz of all threads by user + kernel stack... Hit Ctrl-C to end.\n",
		"a backtrace of gdb":                       "Thread 1 (LWP 7):\n#0  0x00007f in read () from libc.so.6\n#1  main () at w.c:4\n",
		"the output of eu-stack":                   "PID 1 - process\nTID 1:\n#0 0x00007f read\n",
		"a thread dump of Java":                    "2026-11-28 14:00:00\nFull thread dump OpenJDK 64-Bit Server VM (25 mixed mode):\n",
		"a traceback of Python":                    "Current thread 0x00007f12 (most recent call first):\n  File \"a.py\", line 12 in f\n",
		"a dump of goroutines":                     "goroutine 1 [running]:\nmain.main()\n\t/tmp/main.go:5 +0x1d\n",
		"a trace of Xdebug":                        "Version: 3.1\nFile format: 4\nTRACE START [2026-11-28 14:00:00]\n1\t0\t0\t0.1\n",
		"a table that pprof printed":               "File: w\nType: cpu\nShowing nodes accounting for 2s, 100% of 2s total\n      flat  flat%   sum%        cum   cum%\n",
		"the traces that pprof printed":            "PeriodType: cpu nanoseconds\nPeriod: 10000000\nSamples:\nsamples/count cpu/nanoseconds\n    1  10: 1 2\n",
		"the output of gprof":                      "Flat profile:\n\nEach sample counts as 0.01 seconds.\n  %   cumulative   self\n 50 1 2\n",
		"a report of GHC":                          "\tSat Nov 28 14:00 2026 Time and Allocation Profiling Report  (Final)\n",
		"a graph for Graphviz":                     "digraph \"w\" {\nnode [style=filled]\n}\n",
		"a text of ftrace":                         "# tracer: function\n#\n  <idle>-0 [000] 1.2: f <-g\n",
		"text with lines that end in CR alone":     "# comment\ra;b 1\ra;c 2.5\r",
		"binary data of a kind that is not known":  "\x00\x01\x02\x03abcdefgh\x00\x00",
	} {
		t.Run(want, func(t *testing.T) {
			for name, content := range map[string]string{"plain": text, "gzip": packed(t, gzipPacking, text), "zstd": packed(t, zstdPacking, text)} {
				f, err := Open(strings.NewReader(content))
				var foreign *ForeignError
				if !errors.As(err, &foreign) || f != nil {
					t.Fatalf("%s: file %v, error %v", name, f, err)
				}
				if foreign.What != want || strings.ContainsAny(foreign.Error(), "\n\x00") || !strings.HasPrefix(foreign.Error(), "this is "+want) {
					t.Errorf("%s: %v, want %s", name, foreign, want)
				}
			}
		})
	}
}

// TestForeignDo holds kinds of which several sentences tell what to do.
func TestForeignDo(t *testing.T) {
	for text, want := range map[string]string{
		"w 7 [001] 4021.581911: cpu-clock:\n\t 113f f+0x1 (/w)\n":     `fold it first, as with "stackcollapse-perf.pl FILE | dropwatch flamegraph -"`,
		"w 7/7 4021.581911: 1 cpu-clock:\n\t 113f f ([k])\n\t  f:7\n": `fold it first, as with "stackcollapse-perf.pl FILE | dropwatch flamegraph -"`,
		"w \n\t 113f f (/w)\n":                                   withoutF,
		"@[\n    kfree_skb+1\n]: 5\n":                            `fold it first, as with "stackcollapse-bpftrace.pl FILE | dropwatch flamegraph -"`,
		"@[\n    kfree_skb+1\n, bash]: 5\n":                      `fold it first, as with "stackcollapse-bpftrace.pl FILE | dropwatch flamegraph -"`,
		"@s[\n    kfree_skb+1\n]: 5\n":                           `fold it first, as with "sed 's/^@[A-Za-z0-9_]*\[$/@[/' FILE | stackcollapse-bpftrace.pl | dropwatch flamegraph -"`,
		"#\n#   Overhead  Command / Shared Object\n  90.4%  w\n": fromScript,
	} {
		_, err := Open(strings.NewReader(text))
		var foreign *ForeignError
		if !errors.As(err, &foreign) || foreign.Do != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestLikely holds texts that cannot be read as folded stacks.
func TestLikely(t *testing.T) {
	for _, test := range []struct{ want, text string }{
		{bareScript, "prog \n\tffffffff81000000 foo\n\t    7fff00 bar\n\n"},
		{bareScript, "\n\t          1750ce\n\t    55bffcb3d530\n"},
		{bareScript, "63490.540398: \n\t          1750ce __strpbrk_sse42\n"},
		{"the output of perf report", "    27.40%    26.03%  sh       libc.so.6          [.] __strcmp_avx2\n"},
		{"the output of perf report", "\n0x108@p.data [0x50]: event: 69\n.\n. ... raw event: size 80 bytes\n"},
		{"the output of perf diff", "# Event 'cpu-clock'\n#\n# Baseline  Delta Abs  Shared\n"},
		{"the output of perf annotate", " Percent |\tSource code & Disassembly of libc.so.6\n"},
		{"the output of perf stat", "\n Performance counter stats for 'ls':\n\n   1.23 msec task-clock\n"},
		{"the output of perf stat", "# started on Sun Nov 29\n\n0.79,msec,task-clock\n"},
		{"the output of a bcc tool", "Tracing 1 functions for \"kfree_skb\"... Hit Ctrl-C to end.\n  kfree_skb\n    12\n"},
		{"the output of a bcc tool", "Tracing off-CPU time (us) of all threads by user + kernel stack... Hit Ctrl-C to end.\n    schedule\n        13\n"},
		{"the output of a bcc tool", "Tracing 1 functions for \"f\"... Hit Ctrl-C to end.\n  f\n    1234\n\n  g\n    5678\n"},
		{"", "  f\n    1234\n\n  g\n    5678\n"},
		{"the output of bpftrace", "@usecs: \n[1]   4 |@@@|\n"},
		{"the output of bpftrace", "@[\n    kfree_skb+1\n]: \n[1]  4 |@@|\n"},
		{"the source that pprof printed", "Total: 610ms\nROUTINE ======================== main.main in /m.go\n         0      560ms (flat, cum) 91.80% of Total\n"},
		{"the tags that pprof printed", " k: Total 610ms of 610ms (  100%)\n    610ms (  100%): v\n"},
		{"the comments that pprof printed", "dropwatch 0.1.0, Linux 6.18.44 amd64 on vm\ncommand: dropwatch record\n"},
		{"the output of py-spy dump", "Process 123: python x.py\nPython v3.11 (/usr/bin/python3)\n\nThread 123 (active): \"MainThread\"\n    f (x.py:3)\n"},
		{"a traceback of Python", "Traceback (most recent call last):\n  File \"x.py\", line 3, in <module>\n"},
		{"a text with stack traces of Java", "Exception in thread \"main\" java.lang.RuntimeException: x\n\tat T.main(T.java:1)\n"},
		{"a text with stack traces of JavaScript", "Error: x\n    at a ([eval]:1:20)\n    at node:internal/main:82:3\n"},
		{"a log of V8", "v8-version,11,3,244,8,-node.38,0\n"},
		{"a log of V8", "Statistical profiling result from n.v8log, (411 ticks, 150 unaccounted, 0 excluded).\n"},
		{"a backtrace of lldb", "* thread #1\n  * frame #0: 0x00007fff libsystem`read\n"},
		{"a backtrace of crash", "PID: 1 TASK: ff\n #0 [ffffc90000013d70] __schedule at ffffffff81a0\n"},
		{"a backtrace of a sanitizer or a debugger", "    #0 0x55d0 in main /m.c:3:5\n"},
		{"a log of valgrind", "==27903== Cachegrind, a cache profiler\n"},
		{"a table that valgrind's tools printed", "-----\nCommand:            /bin/true\nMassif arguments:   -q\n"},
		{"the output of strace", "% time     seconds  usecs/call     calls    errors syscall\n"},
		{"the output of strace", "brk(NULL)                               = 0x55faa172a000\n"},
		{"the output of perf trace", "     0.066 ( 0.010 ms): true/23882 brk() = 0x55f7\n"},
		{"the output of sysdig", "7 12:00:00.123456789 1 nginx (123.123) < read res=a\n"},
		{"a text with kernel stacks of a task", "[<0>] do_wait+0x5b/0x110\n"},
		{"a text of ftrace", "          <idle>-0       [001] d..1.   123.456789: kfree_skb: skbaddr=0\n"},
		{"a text of ftrace", "cpus=2\n"},
		{"a kernel's log", "[ 123.456] Call Trace:\n[ 123.456]  <TASK>\n"},
		{"a kernel's log", "Nov 29 vm kernel: Call Trace:\n"},
		{"a text that dropwatch printed", "2026-11-22 16:26:21 on vm, Linux 6.18.44: 740 drops in 2.797s (265/s)\n"},
		{"a text that dropwatch printed", "A  a.jsonl: 2026-11-22 14:00:00 on node7, Linux 6.18.0: 1 drop in 1s (1/s)\n"},
		{"a text that dropwatch printed", "16:26:21.854048 lab-rx@4 ethertype 0x88b5, length 64: X at __netif_receive_skb_core+0x7e6 [softirq, lab/31299, cpu 0]\n"},
		{"a text that dropwatch printed", "19:02:46.483015 NET_RX on CPU 1 waited 50 ms because a was in bpf()\n"},
		{"a text that dropwatch printed", "2026-11-22 14:00:00 on node7, Linux 5.15.0: watched for 10s\n"},
		{"the output of another dropwatch", "Initializing null lookup method\ndropwatch> start\n2 drops at ip_rcv+10 (0xffffffff)\n"},
		{"the output of async-profiler", "--- Execution profile ---\nTotal samples : 3\n"},
		{"the output of async-profiler", "--- 50000 ns (50.00%), 5 samples\n  [ 0] java.lang.Thread.run\n"},
		{"the output of cProfile", "         4 function calls in 0.000 seconds\n\n   ncalls  tottime  percall  cumtime\n"},
		{"the output of SystemTap", " 0xffffffff8103ce3b : native_safe_halt+0xb/0x10 [kernel]\n\t2404\n"},
		{"a javacore of IBM's Java", "NULL           ----\n3XMTHREADINFO      \"main\" J9VMThread:0x1\n"},
		{"a report of Visual Studio", "Level,Function Name,Number of Calls\n1,main,2\n"},
		{"the output of pmcstat", "@ CPU_CLK_UNHALTED_CORE [5 samples]\n"},
		{"the output of VTune", "Function Stack,CPU Time:Self\n"},
		{"a deep copy of Instruments", "Running Time\tSelf (ms)\t\tSymbol Name\n"},
		{"an older profile of pprof whose header is not at its start", "\n\nheap profile:     85: 1 [    85: 1] @ growth\n"},
		{"an older profile of pprof whose header is not at its start", "\xef\xbb\xbf\n--- contentionz 1 ---\n"},
		{"a table of values with commas", "name,count\na,5\nb,7\n"},
		{"JSON", "{}\n"}, {"JSON", "[3]"}, {"JSON", `"abc"`},
		{"binary data of a kind that is not known", "\xc3\xf2w3\xd0G7\xa0\xe9\xf5#xz\n"},
		{"", ""}, {"", "word\nwords, more words\n"}, {"", "a\v 3\nb\f4\n"}, {"", "All rights: (c) somebody\n\tat home\n"}, {"", "h\u00e9llo w\u00f6rld\n\x1b[1mb\x1b[0m\n"},
		{"", "a, b\nc\nd, e\n"}, {"", "add\n add to\n dead letters\n of the words\n that are not frames\n"},
	} {
		for name, content := range map[string]string{"plain": test.text, "gzip": packed(t, gzipPacking, test.text)} {
			f, err := Open(strings.NewReader(content))
			if err != nil {
				t.Errorf("%s %q: %v", name, test.text, err)
				continue
			}
			got := ""
			if foreign := f.Likely(); foreign != nil {
				if got = foreign.What; strings.ContainsAny(foreign.Error(), "\n\x00") {
					t.Errorf("%q", foreign.Error())
				}
			}
			if got != test.want {
				t.Errorf("%s %q is %q, want %q", name, test.text, got, test.want)
			}
		}
	}
}

// TestNoHeader holds JSON that is no recording.
func TestNoHeader(t *testing.T) {
	for _, text := range []string{
		"", "{", "{}", "[]", "null", "{\"type\"", `{"type":`, `{"type":"head`, `{"type":"headers"}`, `{"type":5}`, `{"type":{"a":"header"}}`,
		`{"kind":"header"}`, `{"a":{"type":"header"}}`, `{"a":["type","header"]}`, `["type","header"]`, `{"a":1}{"type":"header"}`,
		"{\"a\":1,\n\"type\":\"header\"}", `{"a" "type":"header"}`, `{"a":"` + strings.Repeat("x", headSize), "a;b 1\n{\"type\":\"header\"}",
		strings.Repeat(`{"a":`, headSize/5), strings.Repeat("[", headSize), `{"a":` + strings.Repeat("[", headSize),
	} {
		if isHeader([]byte(text)) {
			t.Errorf("%.40q is taken for a recording", text)
		}
	}
}

// TestFolded holds folded stacks that look like something else.
func TestFolded(t *testing.T) {
	for _, text := range []string{
		"a;b 1\n", "", "\n", "a", "\na;b 1\n", "\xef\xbb\xbfa;b 1\n",
		"{closure#0};main 5\n", "{\"a\"};b 5\n", "[[u8; 4]; 2];main 1\n", "[idle];do_idle 7\n", "[1];b 2\n",
		"<svgload>;main 5\n", "<html>::parse;f 5\n", "<html>;f 5\n", "gmond;main 5\n", "PKCS7_verify 4\n", "go 1.26 tracer 7\n",
		"heap profile;main 12\n", "goroutine profile: total 12\n", "goroutine 1;main 5\n",
		"a;heap profile: 3 4\n", "heap profile: 1: 2 [3: 4] @ heaps 5\n", "  --- mutex: 5\n", "a;b 1\n--- threadz 1 ---\n", "--- total 5\n",
		"Thread 1;#0 main;#1 f 5\n", "@[a];b 5\n", "digraphs;main 3\n", "java;Full thread dump;x 4\n", "fn=a;b 5\n",
		"comm 12/13 [001];main 4\n", "\x1b[2J;c\xff 1\n", "a\x00b;c 1\n", "# packets dropped\na;b 5\n", "BZh9;x 1\n",
		"a;b 1\r\na;c 2\r\n", "a;b 1\r", "a;b 1\r\r\na;c 2\r\r\n", "a\rb;c 1", "a;b 1\na;c 2\rd 3\nd 4\n",
		"\xff\xfea\x00;\x00b\x00 \x001\x00", // which flamegraph.Parse refuses
	} {
		if f, err := Open(strings.NewReader(text)); err != nil || f.Kind != Folded {
			t.Errorf("%q: file %+v, error %v", text, f, err)
		} else if got, err := io.ReadAll(f); err != nil || string(got) != text {
			t.Errorf("%q is read as %q, error %v", text, got, err)
		}
	}
}

func TestKinds(t *testing.T) {
	const header = `{"type":"header","schema":1}` + "\n"
	for name, test := range map[string]struct {
		file string
		kind Kind
	}{
		"a recording":          {header, Recording},
		"one that ends there":  {`{"type":"header"`, Recording},
		"one that is damaged":  {`{"type":"header","schema":1,"host":"\n`, Recording},
		"one with spaces":      {`{"type": "header", "schema": 1}` + "\n" + `{"type": "end"}` + "\n", Recording},
		"one in another order": {` { "schema": 1, "hooks": [{"type": "x"}], "host": "a\"b", "type" : "header" }` + "\r\n", Recording},
		"one packed":           {packed(t, zstdPacking, header), Recording},
		"one packed otherwise": {packed(t, gzipPacking, header), Recording},
		"packed stacks":        {packed(t, gzipPacking, "a;b 1\n"), Folded},
		"packed by zstd":       {packed(t, zstdPacking, "a;b 1\n"), Folded},
		"packed twice":         {packed(t, gzipPacking, packed(t, zstdPacking, "a;b 1\n")), Folded},
		"a heap profile":       {"heap profile: 1: 128 [1: 129] @ heap/1048576\n", Profile},
		"one of goroutines":    {"goroutine profile: total 1\n1 @ 0x442931 0x47cd1d\n#\t0x442930\tf+0x1\tf.go:1\n", Profile},
		"one of one record":    {"goroutine profile: total 3\n3 @ 0x1 0x2", Profile},
		"one of mutexes":       {"--- mutex:\ncycles/second=1\n", Profile},
		"one of contention":    {"--- contentionz 1 ---\n", Profile},
		"one of threads":       {"# comment\n\n--- threadz 1 ---\n", Profile},
		"one of a thread":      {"--- Thread 7f79 (name: main/1) stack: ---\n", Profile},
		"one of Java":          {"--- heapz 1 ---\nformat = java\n", Profile},
		"one in a log":         {"12:00:00 heap profile: 1: 128 [1: 129] @heap_v2/524288\n", Profile},
		"one of growth":        {"\xef\xbb\xbf heap profile: 1: 128 [1: 128] @ growthz\n", Profile},
		"one of Java, indent":  {"  --- contentionz 1 ---  \r\nformat = java\n", Profile},
		"one of CPU time":      {"\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x10\x27\x00\x00\x00\x00\x00\x00", Profile},
		"one of 64 bits":       {strings.Repeat("\x00", 15) + "\x03" + strings.Repeat("\x00", 15) + "\x01" + strings.Repeat("\x00", 8), Profile},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Open(strings.NewReader(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if f.Kind != test.kind {
				t.Errorf("kind is %s, want %s", f.Kind, test.kind)
			}
		})
	}
}
