// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// printed runs this test binary as dropwatch and returns its output.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asDropwatch+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("dropwatch %s: %v", strings.Join(args, " "), err)
	}
	return string(out)
}

// TestTotalsAgree asks every command that adds up for the total of one recording.
func TestTotalsAgree(t *testing.T) {
	const lab = "../../testdata/recordings/lab.jsonl.zst"
	var report struct {
		Totals struct{ Drops, Bytes uint64 }
	}
	if err := json.Unmarshal([]byte(printed(t, "report", "-f", "json", lab)), &report); err != nil {
		t.Fatal(err)
	}
	if report.Totals.Drops == 0 {
		t.Fatal("the report counts nothing")
	}
	drops, bytes := strconv.FormatUint(report.Totals.Drops, 10), strconv.FormatUint(report.Totals.Bytes, 10)

	file := filepath.Join(t.TempDir(), "drops.pb.gz")
	printed(t, "pprof", "-o", file, lab)
	for index, want := range map[string]string{"drops": drops, "bytes": bytes} {
		out, err := exec.Command("go", "tool", "pprof", "-top", "-unit=B", "-nodefraction=0", "-sample_index="+index, file).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "100% of "+want) {
			t.Errorf("pprof: no total of %s %s, error %v in\n%s", want, index, err, out)
		}
	}

	var folded uint64
	for line := range strings.Lines(printed(t, "fold", lab)) {
		count := line[strings.LastIndex(line, " ")+1:]
		n, err := strconv.ParseUint(strings.TrimSpace(count), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		folded += n
	}
	if folded != report.Totals.Drops {
		t.Errorf("fold: %d drops, report: %s", folded, drops)
	}
}
