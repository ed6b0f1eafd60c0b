// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"runtime/debug"
	"strings"
	"time"

	"github.com/cilium/ebpf/btf"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/kernelreason"
)

// laterReasons also names the reasons of modules that are loaded during the trace, such as
// openvswitch and mac80211.
type laterReasons struct {
	reasons
	read func() (reasons, error)
	now  func() time.Time
	next time.Time // earliest time of the next read
	wait time.Duration
}

// firstWait is the interval after the first read. It doubles with each read, because the
// kernel's types have some megabytes.
const firstWait = 10 * time.Second

// withLater returns names that are read again, unless the types are from a file or missing.
func (t *types) withLater(names *dropreason.Names) reasons {
	if t.kernel == nil || t.read {
		return names
	}
	return &laterReasons{
		reasons: names, now: time.Now, wait: firstWait,
		read: func() (reasons, error) {
			defer debug.FreeOSMemory()
			return kernelreason.FromKernel(btf.NewCache())
		},
	}
}

// NameAt reads the names again for a reason of a subsystem (include/net/dropreason.h, 6.4) that
// has no name.
func (l *laterReasons) NameAt(code uint32, function string) (name string, inferred bool) {
	name, inferred = l.reasons.NameAt(code, function)
	now := l.now()
	if code>>16 == 0 || !strings.Contains(name, "/") || now.Before(l.next) {
		return name, inferred
	}
	l.next, l.wait = now.Add(l.wait), 2*l.wait
	again, err := l.read()
	if err != nil {
		return name, inferred // it stays a number
	}
	l.reasons = again
	return l.reasons.NameAt(code, function)
}
