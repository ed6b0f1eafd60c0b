// SPDX-License-Identifier: Apache-2.0

package rtt

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// parse returns the replies in a log and the texts of its errors.
func parse(t testing.TB, log string) (replies []Reply, errs []string) {
	t.Helper()
	for r, err := range Parse(strings.NewReader(log)) {
		if err != nil {
			if (r != Reply{}) {
				t.Errorf("an error and a reply: %v, %+v", err, r)
			}
			errs = append(errs, err.Error())
			continue
		}
		replies = append(replies, r)
	}
	return replies, errs
}

func sample(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func at(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func diff(want, got any) string {
	return cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}))
}

// TestSamples reads what the tools print, see testdata/README.md.
func TestSamples(t *testing.T) {
	const us = time.Microsecond
	var (
		lo  = netip.MustParseAddr("127.0.0.1")
		v6  = netip.MustParseAddr("fd00::1")
		tun = netip.MustParseAddr("10.0.0.2")
	)
	tests := []struct {
		name string
		want []Reply
		errs []string
	}{
		{name: "ping-dup", want: []Reply{
			{Time: at(1795369594389133), RTT: 144 * us, Addr: tun, Seq: 1, Wire: 1, Unwrapped: 1, ICMP: true, Line: 2},
			{Time: at(1795369594389157), RTT: 156 * us, Addr: tun, Seq: 1, Wire: 1, Unwrapped: 1, ICMP: true, Duplicate: true, Line: 3},
			{Time: at(1795369594491523), RTT: 163 * us, Addr: tun, Seq: 2, Wire: 2, Unwrapped: 2, ICMP: true, Line: 4},
			{Time: at(1795369594491556), RTT: 223 * us, Addr: tun, Seq: 2, Wire: 2, Unwrapped: 2, ICMP: true, Duplicate: true, Line: 5},
			{Time: at(1795369594595527), RTT: 165 * us, Addr: tun, Seq: 3, Wire: 3, Unwrapped: 3, ICMP: true, Line: 6},
		}},
		{name: "ping-ipv6", want: []Reply{
			{Time: at(1795369594597859), RTT: 27 * us, Addr: v6, Seq: 1, Wire: 1, Unwrapped: 1, ICMP: true, Line: 2},
			{Time: at(1795369594699433), RTT: 59 * us, Addr: v6, Seq: 2, Wire: 2, Unwrapped: 2, ICMP: true, Line: 3},
			{Time: at(1795369594803430), RTT: 50 * us, Addr: v6, Seq: 3, Wire: 3, Unwrapped: 3, ICMP: true, Line: 4},
		}},
		{name: "ping-name", want: []Reply{
			{RTT: 12 * us, Addr: lo, Seq: 1, Wire: 1, Unwrapped: 1, ICMP: true, Line: 2},
			{RTT: 46 * us, Addr: lo, Seq: 2, Wire: 2, Unwrapped: 2, ICMP: true, Line: 3},
		}},
		{name: "ping-untimed", errs: []string{
			"rtt log line 2: reply without a round-trip time",
			"rtt log line 3: reply without a round-trip time",
		}},
		{name: "hping3-dup", want: []Reply{
			{RTT: 500 * us, Addr: tun, ICMP: true, Line: 2},
			{RTT: 500 * us, Addr: tun, ICMP: true, Duplicate: true, Line: 3},
			{RTT: 400 * us, Addr: tun, Seq: 1, Wire: 256, Unwrapped: 1, ICMP: true, Line: 4},
			{RTT: 400 * us, Addr: tun, Seq: 1, Wire: 256, Unwrapped: 1, ICMP: true, Duplicate: true, Line: 5},
		}},
		{name: "hping3-icmp-ts", want: []Reply{
			{RTT: 300 * us, Addr: lo, ICMP: true, Line: 2},
			{RTT: 1100 * us, Addr: lo, Seq: 1, Wire: 256, Unwrapped: 1, ICMP: true, Line: 6},
		}},
		{name: "hping3-syn", want: []Reply{
			{RTT: 100 * us, Addr: lo, Line: 2},
			{RTT: 900 * us, Addr: lo, Seq: 1, Unwrapped: 1, Line: 3},
			{RTT: 700 * us, Addr: lo, Seq: 2, Unwrapped: 2, Line: 4},
		}},
		{name: "hping3-syn-V", want: []Reply{
			{RTT: 900 * us, Addr: lo, Line: 4},
			{RTT: 800 * us, Addr: lo, Seq: 1, Unwrapped: 1, Line: 8},
		}},
		{name: "hping3-udp", want: []Reply{
			{RTT: 900 * us, Addr: lo, Line: 2},
			{RTT: 800 * us, Addr: lo, Seq: 1, Unwrapped: 1, Line: 5},
		}},
		{name: "hping3-unreachable"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, errs := parse(t, sample(t, test.name))
			if d := diff(test.want, got); d != "" {
				t.Errorf("replies (-want +got):\n%s", d)
			}
			if d := diff(test.errs, errs); d != "" {
				t.Errorf("errors (-want +got):\n%s", d)
			}
		})
	}
}

// TestLines reads single lines, most of them damaged.
func TestLines(t *testing.T) {
	host := netip.MustParseAddr("10.0.0.2")
	fifth := Reply{RTT: time.Millisecond, Addr: host, Seq: 5, Wire: 5, Unwrapped: 5, ICMP: true, Line: 1}
	stamped, identified, precise := fifth, fifth, fifth
	stamped.Time, identified.ID, precise.RTT = at(1700000000123456), 19541, 12_345_678
	zoned := fifth
	zoned.Addr = netip.MustParseAddr("fe80::1%eth0")
	swapped := fifth
	swapped.Wire = 0x0500
	wide := Reply{RTT: time.Millisecond, Addr: host, Seq: 4464, Unwrapped: 70000, Line: 1}
	unanswered := Reply{Time: stamped.Time, Seq: 5, Wire: 5, Unwrapped: 5, ICMP: true, Unanswered: true, Line: 1}
	tests := []struct {
		line string
		want *Reply
		err  string
	}{
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 ms", &fifth, ""},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1 ms\r", &fifth, ""},
		{"64 bytes from a.b (c) (10.0.0.2): icmp_seq=5 ttl=64 time=1.00 ms", &fifth, ""},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ident=19541 ttl=64 time=1.00 ms", &identified, ""},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=12.345678 ms", &precise, ""},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 ms (BAD CHECKSUM!)", &fifth, ""},
		{"64 bytes from fe80::1%eth0: icmp_seq=5 ttl=64 time=1.00 ms", &zoned, ""},
		{"[1700000000.123456] 64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 ms", &stamped, ""},
		{"[1700000000.123456] no answer yet for icmp_seq=5", &unanswered, ""},
		{"len=28 ip=10.0.0.2 ttl=64 id=+9 icmp_seq=5 rtt=1.0 ms", &swapped, ""},
		{"len=28 ip=10.0.0.2 ttl=64 id=1 seq=70000 rtt=1.0 ms", &wide, ""},

		{"", nil, ""},
		{"rtt min/avg/max/mdev = 0.035/0.057/0.115/0.033 ms", nil, ""},
		{"[1700000000.123456] From 10.0.0.1 icmp_seq=1 Destination Host Unreachable", nil, ""},
		{"[x] something else", nil, ""},
		{"-1 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 ms", nil, ""},
		{strings.Repeat("64 bytes from ", 1000), nil, ""},

		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.0", nil, `round-trip time "1.0" without its unit`},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 m", nil, `round-trip time "1.00" without its unit`},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=-1.0 ms", nil, `invalid round-trip time "-1.0"`},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.-5 ms", nil, `invalid round-trip time "1.-5"`},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.2345678 ms", nil, `invalid round-trip time "1.2345678"`},
		{"64 bytes from 10.0.0.2: icmp_seq=65536 ttl=64 time=1.00 ms", nil, `invalid sequence number "65536"`},
		{"64 bytes from 10.0.0.2: ttl=64 time=1.00 ms", nil, "reply without a sequence number"},
		{"64 bytes from 10.0.0.2", nil, "reply without a sequence number"},
		{"64 bytes from 10.0.0.2: icmp_seq=5 ident=x ttl=64 time=1.00 ms", nil, `invalid identifier "x"`},
		{"64 bytes from \x1b[2J: icmp_seq=5 ttl=64 time=1.00 ms", nil, `invalid address "\x1b[2J"`},
		{"[17.1234567] 64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 ms", nil, `invalid time "17.1234567"`},
		{"no answer yet for icmp_seq=", nil, `invalid sequence number ""`},
		{"len=28 ip=10.0.0.2 ttl=64 id=603", nil, "reply without a round-trip time"},
		{"len=28 ip=10.0.0.2 ttl=64 id=1 rtt=1.0 ms", nil, "reply without a sequence number"},
		{"len=28 ip= ttl=64 id=1 icmp_seq=5 rtt=1.0 ms", nil, `invalid address ""`},
		{"len=28 ip=10.0.0.2 ttl=64 id=1 tos=0 iplen=28\n--- statistic ---", nil, "reply without a round-trip time"},
		{"DUP! len=28 ip=10.0.0.2 ttl=64 id=1 icmp_seq=5 rtt=-999.8 ms", nil, `invalid round-trip time "-999.8"`},
	}
	for _, test := range tests {
		replies, errs := parse(t, test.line)
		var want []Reply
		var wantErrs []string
		if test.want != nil {
			want = []Reply{*test.want}
		}
		if test.err != "" {
			line := "1"
			if strings.Contains(test.line, "\n") {
				line = "2"
			}
			wantErrs = []string{"rtt log line " + line + ": " + test.err}
		}
		if d := diff(want, replies) + diff(wantErrs, errs); d != "" {
			t.Errorf("%.60q (-want +got):\n%s", test.line, d)
		}
	}
}

// TestGoesOn: what cannot be read hides nothing after it, and readers may stop.
func TestGoesOn(t *testing.T) {
	const reply = "64 bytes from 10.0.0.2: icmp_seq=5 ttl=64 time=1.00 ms\n"
	log := strings.Repeat("x", 3*maxLine) + "\n" + "len=28\n" + reply + strings.Repeat("y", maxLine) + "\n" + reply
	replies, errs := parse(t, log)
	if len(replies) != 2 || len(errs) != 1 || replies[1].Line != 5 {
		t.Errorf("%+v, %v", replies, errs)
	}
	for range Parse(strings.NewReader(log)) {
		break
	}
}

func TestReadFails(t *testing.T) {
	broken := errors.New("disk on fire")
	var errs []error
	for r, err := range Parse(iotest.ErrReader(broken)) {
		errs = append(errs, err)
		if (r != Reply{}) {
			t.Errorf("an error and %+v", r)
		}
	}
	if len(errs) != 1 || !errors.Is(errs[0], broken) || errs[0].Error() != "read rtt log: disk on fire" {
		t.Errorf("%v", errs)
	}
}

func TestUnwrap(t *testing.T) {
	const restart = -1
	tests := []struct {
		name    string
		printed []int
		want    []uint64
	}{
		{"in order", []int{1, 2, 3}, []uint64{1, 2, 3}},
		{"wrap", []int{65534, 65535, 0, 1}, []uint64{65534, 65535, 65536, 65537}},
		{"twice", []int{30000, 60000, 20000, 50000, 10000}, []uint64{30000, 60000, 85536, 115536, 141072}},
		{"out of order", []int{65535, 1, 0, 65534, 2}, []uint64{65535, 65537, 65536, 65534, 65538}},
		{"below the first", []int{1, 65535}, []uint64{1, 65535}},
		{"another run", []int{7, 8, restart, 1, 2, restart, restart, 1}, []uint64{7, 8, 65537, 65538, 131073}},
		{"wide", []int{65535, 65536, 65535, 65537}, []uint64{65535, 65536, 65535, 65537}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var s sequence
			var got []uint64
			for _, n := range test.printed {
				if n == restart {
					s.restart()
					continue
				}
				got = append(got, s.unwrap(uint32(n)))
			}
			if d := diff(test.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	logs, err := filepath.Glob("testdata/*.log")
	if err != nil || len(logs) == 0 {
		f.Fatal(err, logs)
	}
	for _, log := range logs {
		f.Add(sample(f, strings.TrimSuffix(filepath.Base(log), ".log")))
	}
	f.Fuzz(func(t *testing.T, log string) {
		replies, _ := parse(t, log)
		lines := strings.Count(log, "\n") + 1
		for i, r := range replies {
			if r.Seq != uint16(r.Unwrapped) || r.RTT < 0 || r.Line > lines || i > 0 && r.Line <= replies[i-1].Line {
				t.Errorf("%+v of %d lines", r, lines)
			}
			if r.Addr.IsValid() == r.Unanswered {
				t.Errorf("%+v", r)
			}
		}
		for _, d := range Drains(replies, time.Millisecond) {
			if d.Replies < 2 || d.Last <= d.First || d.MaxRTT <= 0 || d.Interval < 0 {
				t.Errorf("%+v", d)
			}
		}
	})
}
