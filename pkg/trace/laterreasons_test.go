// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"testing"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
)

// namesOf makes the names of a kernel whose modules brought such reasons.
type namesOf map[uint32]string

func (n namesOf) NameAt(code uint32, _ string) (string, bool) {
	if name, ok := n[code]; ok {
		return name, false
	}
	return "5/3", false
}

func (namesOf) Vague(string, string, dropreason.Audience) bool { return false }

// TestReasonsOfLaterModules: a module that is loaded while tracing has its reasons named,
// and a number that nobody knows does not have the kernel's types read all the time.
func TestReasonsOfLaterModules(t *testing.T) {
	const core, module = 7, 5<<16 | 3
	loaded, reads, fail := namesOf{core: "NO_SOCKET"}, 0, error(nil)
	now := time.Now()
	l := &laterReasons{
		reasons: namesOf{core: "NO_SOCKET"}, wait: firstWait, now: func() time.Time { return now },
		read: func() (reasons, error) { reads++; return loaded, fail },
	}
	ask := func(code uint32, want string, wantReads int) {
		t.Helper()
		if got, _ := l.NameAt(code, ""); got != want || reads != wantReads {
			t.Errorf("reason %d is %q after %d readings, want %q after %d", code, got, reads, want, wantReads)
		}
	}
	ask(core, "NO_SOCKET", 0)
	ask(module, "5/3", 1)
	ask(module, "5/3", 1)
	loaded = namesOf{core: "NO_SOCKET", module: "OVS_DROP_LAST_ACTION"}
	ask(module, "5/3", 1)
	now = now.Add(firstWait)
	fail = errors.New("no types")
	ask(module, "5/3", 2)
	fail = nil
	now = now.Add(firstWait)
	ask(module, "5/3", 2)
	now = now.Add(firstWait)
	ask(module, "OVS_DROP_LAST_ACTION", 3)
	ask(core, "NO_SOCKET", 3)
}

// TestReasonsReadAgain reads those of this kernel twice: they are the same.
func TestReasonsReadAgain(t *testing.T) {
	types, err := readTypes("")
	if errors.Is(err, ErrNoTypes) {
		labtest.Need(t, errors.ErrUnsupported)
	}
	if err != nil {
		t.Fatal(err)
	}
	names, err := kernelreason.FromKernel(btf.NewCache())
	if err != nil {
		t.Fatal(err)
	}
	l, ok := types.withLater(names).(*laterReasons)
	if !ok {
		t.Fatal("the kernel's own reasons are not read again")
	}
	again, err := l.read()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range names.All() {
		if got, _ := again.NameAt(r.Code, ""); got != r.Name {
			t.Errorf("reason %d is %q, was %q", r.Code, got, r.Name)
		}
	}
}
