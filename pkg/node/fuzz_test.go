// SPDX-License-Identifier: Apache-2.0

package node

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/privilege"
)

// everyFile is a machine whose files all have the same text.
type everyFile string

func (everyFile) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// ReadFile implements fs.ReadFileFS. Devices have two queues.
func (text everyFile) ReadFile(name string) ([]byte, error) {
	if strings.Contains(name, "/rx-2/") {
		return nil, fs.ErrNotExist
	}
	return []byte(text), nil
}

// FuzzState: the state is valid whatever a machine's files contain.
func FuzzState(f *testing.F) {
	for _, text := range []string{
		"0-1\n", "ff,00000005\n", "64\n", "1\t2\t3\n", "nr_descendants 9\nnr_dying_descendants 7\n", "memory\t4\t120\t1\n",
		"entries  allocs\n000000ff 1\n000000ff 2\n", "none integrity [confidentiality]\n", "ffffffff81000000 T _text\n",
		"Name:\tx\nCapPrm:\t0\nCapEff:\t000001ffffffffff\nCapBnd:\t0\n", "TCP  0A000001:0050 rr\nUDP  0A000001:0035 rr\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root := Root{everyFile(text)}
		state := ReadState(Sources{Root: root.FS, Spaces: []Space{{Files: root.FS, Reader: said{
			links: []Link{{Name: "eth0", Index: 2}}, devices: map[string]Device{"eth0": {}},
		}}}})
		link := state.Namespaces[0].Links[0]
		for _, cpus := range [][]int{state.CPUs, link.RxQueues[0].CPUs} {
			if len(cpus) > 0 && (slices.Min(cpus) < 0 || slices.Max(cpus) > maxCPU) {
				t.Errorf("CPUs %v", cpus)
			}
		}
		for name, value := range state.Sysctls {
			if strings.ContainsAny(value, "\n\t") {
				t.Errorf("%s = %q", name, value)
			}
			if n, ok := state.Sysctls.Number(name); ok && len(state.Sysctls.Numbers(name)) != 1 {
				t.Errorf("%s is %d and more", name, n)
			}
		}
		for _, s := range root.Settings("net.core.somaxconn") {
			if s.Value != event.Printable(s.Value) {
				t.Errorf("%+v", s)
			}
		}
		for _, fact := range privilege.Facts(root.FS) {
			if fact.Name == "" {
				t.Errorf("%+v", fact)
			}
		}
		root.ReadLoad()
		root.DyingCgroups("/sys/fs/cgroup/memory/memory.stat")
		root.IPVS()
	})
}
