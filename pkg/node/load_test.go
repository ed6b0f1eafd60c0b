// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	statText = "cpu  915207 41164 363635 3062279 13866 0 77306 504 0 0\n" +
		"cpu0 443334 20083 208361 1504812 3040 0 60672 253 9 0\n" +
		"cpu2 1 2 3 4 5 6 7 8 0 0\nintr 56766258 0\nctxt 1\n"
	softirqText = "                    CPU0       CPU2       \n          HI:          0          0\n      NET_RX:  977646981   32443260\n"
	irqText     = "           CPU0       CPU2       \n" +
		" 38:          0      47904 PCI-MSIX-0000:00:03.0   1-edge      virtio2-input.0\n" +
		"NMI:          0          0   Non-maskable interrupts\nERR:          0\n"
	ksoftirqdText = "22 (ksoftirqd/2) S 2 0 0 0 -1 69238848 0 0 0 0 1 814 0 0 20 0 1 0 22 0 0 18446744073709551615\n"
)

func TestReadLoad(t *testing.T) {
	root := Root{fstest.MapFS{
		"proc/stat":       file(statText),
		"proc/softirqs":   file(softirqText),
		"proc/interrupts": file(irqText),
		"proc/net/dev":    file("Inter-|   Receive   |  Transmit\n face |bytes    packets errs\n    lo: 8 1 0 0\n  e\x1b0:12345 678 0 0\nodd: x y\n"),
		"proc/22/stat":    file(ksoftirqdText),
		"proc/900/stat":   file("900 (ksoftirqd/0) S 1 0 0 0 -1 0 0 0 0 0 1 814 0 0 20 0 1 0 22 0 0 1\n"), // took the name
		"proc/901/stat":   file("901 (a) (ksoftirqd/0) S 1 0"),
		"proc/902/comm":   file("gone"),
	}}
	want := Load{
		CPUs: map[int]CPUTime{
			0: {Total: 22405550 * time.Millisecond, Softirq: 606720 * time.Millisecond, Steal: 2530 * time.Millisecond},
			2: {Total: 360 * time.Millisecond, Softirq: 70 * time.Millisecond, Steal: 80 * time.Millisecond},
		},
		RxPackets:  map[string]uint64{"lo": 1, `e\x1b0`: 678},
		NetRX:      map[int]uint64{0: 977646981, 2: 32443260},
		Interrupts: map[int]map[int]uint64{38: {0: 0, 2: 47904}},
		Ksoftirqd:  map[int]Thread{2: {PID: 22, Time: 8150 * time.Millisecond}},
	}
	if diff := cmp.Diff(want, root.ReadLoad()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	none := Root{fstest.MapFS{}}.ReadLoad()
	if len(none.CPUs)+len(none.NetRX)+len(none.Interrupts)+len(none.Ksoftirqd) != 0 {
		t.Errorf("got %v of nothing", none)
	}
}

// FuzzLoad: the shares of a CPU's time do not exceed it, whatever the files contain.
func FuzzLoad(f *testing.F) {
	for _, text := range []string{statText, softirqText, irqText, ksoftirqdText, "cpu0 1 1 1 1 1 1 1 99999999999999999999", "cpu0 0 0 0 0 0 0 0 922700000000", "CPU0\nx: 1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for cpu, spent := range parseCPUTimes(text) {
			if spent.Softirq < 0 || spent.Steal < 0 || spent.Softirq+spent.Steal > spent.Total {
				t.Errorf("CPU %d: %+v", cpu, spent)
			}
		}
		parsePerCPU(text)
		parseRxPackets(text)
		if cpu, spent, ok := parseKsoftirqd(text); !ok && (cpu != 0 || spent != 0) || cpu < 0 || spent < 0 {
			t.Errorf("CPU %d: %s", cpu, spent)
		}
	})
}
