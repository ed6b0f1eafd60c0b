// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// stats reads the numbers of submitted and lost samples of all CPUs.
type stats struct{ shared []bpf.DropCpuStats }

func newStats(memory []byte) *stats {
	n := len(memory) / int(unsafe.Sizeof(bpf.DropCpuStats{}))
	return &stats{unsafe.Slice((*bpf.DropCpuStats)(unsafe.Pointer(&memory[0])), n)}
}

func (s *stats) read(totals *event.Totals, loss *event.Loss) {
	totals.Sampled, loss.RingFull, loss.StackFailed = 0, 0, 0
	for i := range s.shared {
		totals.Sampled += atomic.LoadUint64(&s.shared[i].Submitted)
		loss.RingFull += atomic.LoadUint64(&s.shared[i].RingFull)
		loss.StackFailed += atomic.LoadUint64(&s.shared[i].StackFailed)
	}
}

// share limits each cell to a number of samples per second.
func (s *stats) share(samples uint32) {
	for i := range s.shared {
		atomic.StoreUint32(&s.shared[i].Share, samples)
	}
}

// missed returns the number of drops for which the kernel did not run the program, because it
// was already running on that CPU, or nil if the kernel does not count them.
// Needs kernel 5.12+ (recursion_misses in fdinfo, 9ed9e9ba2337). For classic tracepoints the
// kernel counts from 6.7 on (dd8657894c11), so there 0 may mean that it does not count.
func (h *hook) missed() *uint64 {
	file, err := os.Open(fmt.Sprintf("/proc/self/fdinfo/%d", h.program.FD()))
	if err != nil {
		return nil
	}
	defer file.Close()
	missed := parseMissed(file)
	if h.Rung == tracepoint && missed != nil && *missed == 0 {
		return nil
	}
	return missed
}

func parseMissed(fdinfo io.Reader) *uint64 {
	for lines := bufio.NewScanner(fdinfo); lines.Scan(); {
		value, ok := strings.CutPrefix(lines.Text(), "recursion_misses:")
		if !ok {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); err == nil {
			return &n
		}
	}
	return nil
}
