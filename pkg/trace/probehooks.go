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

// Machine returns the host name and the release of the kernel.
func Machine() (host, kernel string) {
	meta := describe(Config{}, 0)
	return meta.Host, meta.Kernel
}

// LacksReasons reports whether the running kernel is known to have no drop reasons, by its BTF
// or by tracefs. Kernels before 5.17 have none.
func LacksReasons() bool {
	if reasons, err := kernelreason.FromKernel(btf.NewCache()); err == nil {
		return len(reasons.All()) <= 1
	}
	_, stated, err := dropreason.ReadFormat(os.DirFS("/"))
	return err == nil && !stated
}

// ProbeHooks attaches to each place in the kernel in each way, detaches again, and returns the
// results.
func ProbeHooks() []event.AttachResult {
	_ = rlimit.RemoveMemlock() // needed only before 5.11
	types, err := readTypes("")
	if err != nil {
		types = noTypes()
	}
	var results []event.AttachResult
	add := func(hook, rung, option string, err error) {
		result := event.AttachResult{Hook: event.Hook{Name: hook, Rung: rung}}
		switch {
		case err == nil:
		case types.kernel == nil:
			result.Why = ErrNoTypes.Error()
		default:
			result.Why = whyNot(err, option)
		}
		results = append(results, result)
	}
	drops, err := bpf.LoadDrop()
	if err != nil {
		return nil
	}
	for _, r := range kfreeSkbLadder().rungs {
		add(kfreeSkb, r.name, "", r.try(drops, types))
	}
	var last error
	_ = unreadLadder().climb(func(r rung) error {
		last = r.try(drops, types)
		return last
	})
	add(kfreeSkb, unreadRung, "", last)
	waits, err := bpf.LoadStall()
	if err != nil {
		return results
	}
	for _, f := range functionLadders(true) {
		for _, r := range f.rungs {
			add(f.place, r.name, r.option, r.try(waits, types))
		}
	}
	var tried []event.Hook // two rungs may share a probe
	rungs := tracepointLadder().rungs
	for at := range tracepoints() {
		for _, r := range rungs {
			p := r.probes[at]
			if slices.Contains(tried, p.hook) {
				continue
			}
			tried = append(tried, p.hook)
			one := rung{constants: map[string]any{"typed": types.own()}}.with(r)
			one.probes = []probe{p}
			add(p.hook.Name, p.hook.Rung, "", one.try(waits, types))
		}
	}
	return results
}

// whyNot says on one line why the kernel refused. It uses the error number and the CONFIG option
// that the rung needs, rather than the library's guess.
func whyNot(err error, option string) string {
	var number unix.Errno
	var verifier *ebpf.VerifierError
	switch {
	case errors.As(err, &verifier):
		return "the verifier: " + verdict(verifier.Log)
	case errors.Is(err, ebpf.ErrNotSupported) && option != "":
		return "kernel without " + option
	case errors.Is(err, ebpf.ErrNotSupported), errors.Is(err, fs.ErrNotExist): // the latter for functions
		return "not in this kernel"
	case errors.As(err, &number):
		return number.Error()
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) { // outer errors contain generated names
		err = inner
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// verdict returns the line of the verifier's log that says why it rejected the program: the last
// one before the statistics.
func verdict(log []string) string {
	for _, line := range slices.Backward(log) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "processed ") {
			return line
		}
	}
	return "no reason given"
}
