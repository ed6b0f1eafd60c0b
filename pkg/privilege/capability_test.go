// SPDX-License-Identifier: Apache-2.0

package privilege

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestAllows(t *testing.T) {
	for _, test := range []struct {
		name string
		set  Set
		c    Capability
		want bool
	}{
		{"none", 0, BPF, false},
		{"itself", Of(Syslog, BPF), BPF, true},
		{"another", Of(Syslog), BPF, false},
		{"admin for BPF", Of(SysAdmin), BPF, true},
		{"admin for tracing", Of(SysAdmin), Perfmon, true},
		{"admin for symbols", Of(SysAdmin), Syslog, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := test.set.Allows(test.c); got != test.want {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

func TestSetString(t *testing.T) {
	if got := Of(BPF, Syslog, 7).String(); got != "CAP_7 CAP_SYSLOG CAP_BPF" {
		t.Errorf("%q", got)
	}
}

// status is that of a process of Linux 6.18 under setpriv, shortened.
const status = `Name:	sleep
Umask:	0022
Uid:	65534	65534	65534	65534
CapInh:	000000c400000000
CapPrm:	000000c400000000
CapEff:	0000008400000000
CapBnd:	000001fffeffffff
CapAmb:	000000c400000000
NoNewPrivs:	1
Seccomp:	2
Seccomp_filters:	1
`

func TestReadStatus(t *testing.T) {
	got, err := ReadStatus(strings.NewReader(status))
	if err != nil {
		t.Fatal(err)
	}
	want := &Status{
		Effective: Of(BPF, Syslog), Permitted: Of(BPF, Perfmon, Syslog), Bounding: 0x1fffeffffff,
		Ambient: Of(BPF, Perfmon, Syslog), NoNewPrivs: true, Seccomp: true,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadStatusErrors(t *testing.T) {
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		r    io.Reader
		want error
	}{
		"empty":      {strings.NewReader(""), io.ErrUnexpectedEOF},
		"no number":  {strings.NewReader("CapEff:\tall\n"), nil},
		"no reading": {iotest.ErrReader(broken), broken},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ReadStatus(test.r)
			if s != nil || err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("%+v, %v", s, err)
			}
		})
	}
}

func FuzzReadStatus(f *testing.F) {
	f.Add(status)
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := ReadStatus(strings.NewReader(text)); (s == nil) == (err == nil) {
			t.Errorf("%+v, %v", s, err)
		}
	})
}
