// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// formats are the files of Debian's kernels 5.10, 6.1, 6.12 and 7.2 on amd64, and of a
// 6.18 of another make, as they print them.
func formats(tb testing.TB) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("testdata/format/*.txt")
	if err != nil || len(files) == 0 {
		tb.Fatalf("find formats: %v, %v", files, err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		texts[strings.TrimSuffix(filepath.Base(file), ".txt")] = string(text)
	}
	return texts
}

func TestFromFormat(t *testing.T) {
	texts := formats(t)
	for kernel, want := range map[string]struct {
		stated      bool
		reasons     int
		first, last Reason
		netfilter   uint32
		max         string // what the enum's end is called
	}{
		"5.10": {},
		"6.1":  {true, 64, Reason{1, "NOT_SPECIFIED"}, Reason{64, "PKT_TOO_BIG"}, 7, "65"},
		"6.12": {true, 98, Reason{2, "NOT_SPECIFIED"}, Reason{99, "LOCAL_MAC"}, 11, "100"},
		"6.18": {true, 126, Reason{2, "NOT_SPECIFIED"}, Reason{127, "RECURSION_LIMIT"}, 12, "128"},
		"7.2":  {true, 124, Reason{2, "NOT_SPECIFIED"}, Reason{125, "RECURSION_LIMIT"}, 12, "126"},
	} {
		names, stated, err := FromFormat(texts[kernel])
		if err != nil {
			t.Errorf("%s: %v", kernel, err)
			continue
		}
		all := names.All()
		if stated != want.stated || len(all) != want.reasons {
			t.Errorf("%s: stated %t, %d reasons, want %t, %d", kernel, stated, len(all), want.stated, want.reasons)
		}
		if len(all) == 0 {
			continue
		}
		if all[0] != want.first || all[len(all)-1] != want.last || names.Name(want.netfilter) != "NETFILTER_DROP" {
			t.Errorf("%s: from %v to %v, %d is %s", kernel, all[0], all[len(all)-1], want.netfilter, names.Name(want.netfilter))
		}
		if end := all[len(all)-1].Code + 1; names.Name(end) != want.max || names.Name(0x30001) != "3/1" {
			t.Errorf("%s: %d is called %s, 0x30001 %s", kernel, end, names.Name(end), names.Name(0x30001))
		}
		for _, r := range all {
			if !Lookup(r.Name).Catalogued() {
				t.Errorf("%s: %s is not catalogued", kernel, r.Name)
			}
		}
	}
}

const (
	reasonField = "\tfield:enum skb_drop_reason reason;\toffset:36;\tsize:4;\tsigned:0;\n"
	shownReason = "\nprint fmt: \"reason: %s\", __print_symbolic(REC->reason,"
)

func TestFromFormatOddFiles(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		stated     bool
		want       []Reason
	}{
		{"no field", "\tfield:void * location;\toffset:16;" + shownReason + `{ 2, "NO_SOCKET" })`, false, nil},
		{"another field", "\tfield:int no_reason;\toffset:16;" + shownReason + `{ 2, "NO_SOCKET" })`, false, nil},
		{"an array of names, 6.0", reasonField + "\nprint fmt: \"reason: %s\", drop_reasons[REC->reason]", true, nil},
		{"5.17, from zero", reasonField + shownReason + ` { 0, "NOT_SPECIFIED" }, { 6, "NETFILTER_DROP" })`, true, []Reason{{0, "NOT_SPECIFIED"}, {6, "NETFILTER_DROP"}}},
		{"hexadecimal", reasonField + shownReason + `{0x2d,"QDISC_DROP"},{0x10001,"RX_DROP_U_MIC_FAIL"})`, true, []Reason{{0x2d, "QDISC_DROP"}}},
		{"enumerators", reasonField + shownReason + ` { SKB_DROP_REASON_NO_SOCKET, "NO_SOCKET" }, { 1 + 2, "TCP_CSUM" }, { 4, "PKT_TOO_SMALL" })`, true, []Reason{{4, "PKT_TOO_SMALL"}}},
		{"twice", reasonField + shownReason + ` { 4, "FIRST" }, { 4, "SECOND" })`, true, []Reason{{4, "FIRST"}}},
		{"no reasons", reasonField + shownReason + ` { 9, "MAX" }, { 0xffff0000, "SUBSYS_MASK" }, { -1, "ALL" })`, true, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			names, stated, err := FromFormat(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, names.All()); diff != "" || stated != tt.stated {
				t.Errorf("stated %t, want %t; reasons (-want +got):\n%s", stated, tt.stated, diff)
			}
		})
	}
}

func TestFromFormatErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":          "no print fmt in it",
		reasonField: "no print fmt in it",
		reasonField + shownReason + ` { 2, "NO_SOCKET" }`:           `invalid table of reasons at " { 2, \"NO_SOCKET\" }"`,
		reasonField + shownReason + ` { 2, "NO_SOCKET" }, { 3, "PK`: `invalid table of reasons at " { 3, \"PK"`,
		reasonField + shownReason + ` { 2, "NO SOCKET" })`:          `invalid table of reasons at " { 2, \"NO SOCKET\" })"`,
		reasonField + shownReason + ` { 2, "\e[31m" })`:             `invalid table of reasons at " { 2, \"\\e[31m\" })"`,
		reasonField + shownReason + ` { , "NO_SOCKET" })`:           `invalid table of reasons at " { , \"NO_SOCKET\" })"`,
		reasonField + shownReason + `)`:                             `invalid table of reasons at ")"`,
	} {
		names, stated, err := FromFormat(text)
		if want = "read format of skb:kfree_skb: " + want; names != nil || stated || err == nil || err.Error() != want {
			t.Errorf("%q: %v, %t, %v, want %s", text, names, stated, err, want)
		}
	}
}

// TestReadFormat finds the file in tracefs, else where debugfs brings tracefs along.
func TestReadFormat(t *testing.T) {
	texts := formats(t)
	const tracing, debug = "sys/kernel/tracing/events/skb/kfree_skb/format", "sys/kernel/debug/tracing/events/skb/kfree_skb/format"
	for _, tt := range []struct {
		files fstest.MapFS
		want  string // what 12 is called
	}{
		{fstest.MapFS{tracing: {Data: []byte(texts["6.18"])}, debug: {Data: []byte(texts["5.10"])}}, "NETFILTER_DROP"},
		{fstest.MapFS{debug: {Data: []byte(texts["6.1"])}}, "UNICAST_IN_L2_MULTICAST"},
	} {
		names, stated, err := ReadFormat(tt.files)
		if err != nil || !stated || names.Name(12) != tt.want {
			t.Errorf("stated %t, error %v, 12 is %s, want %s", stated, err, names.Name(12), tt.want)
		}
	}
	names, stated, err := ReadFormat(fstest.MapFS{})
	if names != nil || stated || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without tracefs: %v, %t, %v", names, stated, err)
	}
}
