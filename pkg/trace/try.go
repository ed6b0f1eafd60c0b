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
	for _, r := range kfreeSkbLadder() {
		tell(kfreeSkb, r.name, "", tryProbes(drops, types, []probe{r.probe}))
	}
	var unread error
	for _, r := range unreadLadder() {
		if unread = tryProbes(drops, types, []probe{r.probe}); unread == nil {
			break
		}
	}
	tell(kfreeSkb, unreadRung, "", unread)
	waits, err := bpf.LoadStall()
	if err != nil {
		return trials
	}
	for _, f := range stallFunctions(true) {
		for _, r := range f.rungs {
			tell(f.name, r.name, r.option, tryProbes(waits, types, r.probes))
		}
	}
	var hooks []event.Hook // tried: two rungs may do the same
	for _, to := range tracepoints() {
		for _, r := range stallRungs() {
			way := r.on(to)
			if slices.Contains(hooks, way.hook) {
				continue
			}
			hooks = append(hooks, way.hook)
			err := set(waits, map[string]any{"given": r.given, "typed": types.own()})
			if err == nil {
				err = tryProbes(waits, types, []probe{way.probe})
			}
			tell(to, way.hook.Rung, "", err)
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
