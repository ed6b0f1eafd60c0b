// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
)

// Machine returns the node's name and its kernel's release.
func Machine() (host, kernel string) {
	meta := describe(Config{}, 0)
	return meta.Host, meta.Kernel
}

// LacksReasons reports whether the running kernel is known not to say why it drops
// packets, by its BTF or by tracefs. Before 5.17 none does.
func LacksReasons() bool {
	if reasons, err := kernelreason.FromKernel(btf.NewCache()); err == nil {
		return len(reasons.All()) <= 1
	}
	_, stated, err := dropreason.ReadFormat(os.DirFS("/"))
	return err == nil && !stated
}

// Try attaches to each place in the kernel in each way there is, for a moment, and
// returns what came of it.
func Try() []event.Trial {
	_ = rlimit.RemoveMemlock() // needed before 5.11 alone
	types, err := readTypes("")
	if err != nil {
		types = noTypes()
	}
	var trials []event.Trial
	tell := func(hook, rung, option string, err error) {
		trial := event.Trial{Hook: event.Hook{Name: hook, Rung: rung}}
		switch {
		case err == nil:
		case types.kernel == nil:
			trial.Why = ErrNoTypes.Error()
		default:
			trial.Why = whyNot(err, option)
		}
		trials = append(trials, trial)
	}
	drops, err := bpf.LoadDrop()
	if err != nil {
		return nil
	}
	for _, r := range kfreeSkbLadder().rungs {
		tell(kfreeSkb, r.name, "", r.try(drops, types))
	}
	var unread error
	_ = unreadLadder().climb(func(r rung) error { // the last error says why
		unread = r.try(drops, types)
		return unread
	})
	tell(kfreeSkb, unreadRung, "", unread)
	waits, err := bpf.LoadStall()
	if err != nil {
		return trials
	}
	for _, f := range functionLadders(true) {
		for _, r := range f.rungs {
			tell(f.place, r.name, r.option, r.try(waits, types))
		}
	}
	var tried []event.Hook // two rungs may have a probe in common
	for at := range tracepoints() {
		for _, r := range tracepointLadder().rungs {
			p := r.probes[at]
			if slices.Contains(tried, p.hook) {
				continue
			}
			tried = append(tried, p.hook)
			one := rung{constants: map[string]any{"typed": types.own()}}.with(r)
			one.probes = []probe{p}
			tell(p.hook.Name, p.hook.Rung, "", one.try(waits, types))
		}
	}
	return trials
}

// whyNot says in a line why the kernel refused, by its error number and the option of its
// configuration that is needed rather than by what the library guesses.
func whyNot(err error, option string) string {
	var number unix.Errno
	var verifier *ebpf.VerifierError
	switch {
	case errors.As(err, &verifier):
		return "the verifier: " + verdict(verifier.Log)
	case errors.Is(err, ebpf.ErrNotSupported) && option != "":
		return "kernel without " + option
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, fs.ErrNotExist): // the latter of functions
		return "not in this kernel"
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) { // what was tried has names of the moment in it
		err = inner
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// verdict returns the line of the verifier's log that says what it rejects: the last but
// for statistics.
func verdict(log []string) string {
	for _, line := range slices.Backward(log) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "processed ") {
			return line
		}
	}
	return "no reason given"
}
