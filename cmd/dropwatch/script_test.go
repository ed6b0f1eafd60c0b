// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	switch os.Getenv(asDropwatch) {
	case "":
		if signal.Ignored(unix.SIGHUP) { // under nohup; children are to take it as ever
			signal.Notify(make(chan os.Signal, 1), unix.SIGHUP)
		}
	case inSmallRing:
		recordInSmallRing()
	case withPeak:
		mainWithPeak()
	case holding:
		tellHeld()
		main()
	default:
		main()
	}
	testscript.Main(m, map[string]func(){"dropwatch": main})
}

// asDropwatch is the variable that makes this test binary behave as dropwatch.
const asDropwatch = "DROPWATCH_TEST_MAIN"

// TestScripts runs the command line on recordings, without root.
func TestScripts(t *testing.T) {
	recordings, err := filepath.Abs("../../testdata/recordings")
	if err != nil {
		t.Fatal(err)
	}
	inputs := filepath.Join(filepath.Dir(recordings), "inputs")
	testscript.Run(t, testscript.Params{
		Dir:           "../../testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			return errors.Join(os.CopyFS(e.WorkDir, os.DirFS(recordings)), os.CopyFS(e.WorkDir, os.DirFS(inputs)))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": exitStatus, "truncate": truncate, "magic": magic,
		},
	})
}

// exitStatus runs a command and checks its exit status: status 2 dropwatch report -x.
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// truncate cuts a file after so many bytes: truncate FILE 1000.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

// magic checks what a file begins with, in hexadecimal: magic drops.pb.gz 1f8b.
func magic(ts *testscript.TestScript, _ bool, args []string) {
	content, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	var want []byte
	for pair := range strings.SplitSeq(args[1], " ") {
		v, err := strconv.ParseUint(pair, 16, 8)
		ts.Check(err)
		want = append(want, byte(v))
	}
	if !bytes.HasPrefix(content, want) {
		ts.Fatalf("%s begins with % x", args[0], content[:min(8, len(content))])
	}
}
