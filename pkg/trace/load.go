// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/bpf"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// loader holds the properties of this kernel that loading programs needs.
type loader struct {
	types     *types
	cpus      int
	memlock   bool // maps count against RLIMIT_MEMLOCK, which could not be raised
	split     bool // the compiler may have split kfree_skb in two
	perCPU    perCPU
	functions func() symbols
}

func newLoader(types *types, cpus int, functions func() symbols) *loader {
	return &loader{types: types, cpus: cpus, memlock: unlimit(types.kernel), perCPU: findPerCPU(types.kernel), functions: functions}
}

// load attaches by the best rung that the kernel accepts, with the largest buffers that it
// allows. Programs do not read packets if the kernel has no types, which unreadable says, or if
// its verifier rejects all programs that do.
func (t *Tracer) load(l *loader, ladder ladder, unreadable string) error {
	if unreadable != "" {
		ladder = unreadLadder()
	}
	wanted := t.config
	collection, err := t.attachWithin(l, ladder)
	if unreadable == "" && rejected(err) {
		t.config = wanted
		if c, counts := t.attachWithin(l, unreadLadder()); counts == nil {
			collection, unreadable, err = c, whyUnread(err), nil
		}
	}
	if err != nil {
		return explain(err, l.memlock)
	}
	defer collection.Close()
	if unreadable != "" {
		t.packetsUnreadable = true
		t.meta.Notes = append(t.meta.Notes, "packets cannot be read; drops carry only reason, location and stack: "+unreadable)
	}
	if t.config.RingBytes != wanted.RingBytes {
		t.meta.Notes = append(t.meta.Notes, fmt.Sprintf(
			"RLIMIT_MEMLOCK is too small: the ring buffer has %d KiB instead of %d, each CPU counts %d kinds of drops apart instead of %d",
			t.config.RingBytes>>10, wanted.RingBytes>>10, t.config.CellsPerCPU, wanted.CellsPerCPU))
	}
	t.meta.Hooks = []event.Hook{t.hook.Hook}
	return t.adopt(collection)
}

// whyUnread says why the verifier rejects programs that read packets.
func whyUnread(err error) string {
	if lockedDown(err) {
		return "the kernel is locked down (confidentiality)"
	}
	return whyNot(err, "")
}

// attachWithin attaches, with smaller buffers if RLIMIT_MEMLOCK is too small for them.
func (t *Tracer) attachWithin(l *loader, ladder ladder) (*ebpf.Collection, error) {
	for {
		spec, err := l.prepare(t.config)
		if err != nil {
			return nil, err
		}
		hook, collection, err := attach(spec, l.types.options(), ladder)
		if err == nil {
			t.hook = hook
			return collection, nil
		}
		smaller, ok := t.config.smaller()
		if !l.memlock || !ok || rejected(err) || !errors.Is(err, os.ErrPermission) {
			return nil, err
		}
		t.config = smaller
	}
}

// prepare sets the sizes and constants of the programs.
func (l *loader) prepare(config Config) (*ebpf.CollectionSpec, error) {
	spec, err := bpf.LoadDrop()
	if err != nil {
		return nil, fmt.Errorf("read programs: %w", err)
	}
	spec.Maps["samples"].MaxEntries = uint32(config.RingBytes)
	spec.Maps["cells"].MaxEntries = uint32(l.cpus * config.CellsPerCPU)
	spec.Maps["schedules"].MaxEntries = uint32(l.cpus * config.CellsPerCPU)
	spec.Maps["stats"].MaxEntries = uint32(l.cpus)
	for cpu := range uint32(l.cpus) {
		first := bpf.DropCpuStats{Share: uint32(config.UnwindBudget)}
		spec.Maps["stats"].Contents = append(spec.Maps["stats"].Contents, ebpf.MapKV{Key: cpu, Value: first})
	}
	constants := map[string]any{
		"cells_per_cpu":        uint32(config.CellsPerCPU),
		"exact":                config.Exact,
		"nests":                programsNest(l.types.kernel),
		"packet_bytes":         uint32(max(config.Snaplen, headerBytes)),
		"preempt_count_offset": l.perCPU.preemptCount(),
		"wakeup_bytes":         uint64(config.RingBytes / 4),
		"budget":               uint32(config.UnwindBudget),
	}
	constants["list_start"], constants["list_end"] = extent(l.functions(), "kfree_skb_list_reason", "kfree_skb_list")
	if l.split {
		constants["split_start"], constants["split_end"] = extent(l.functions(), "kfree_skb")
	}
	return spec, set(spec, constants)
}

// set sets the constants of programs.
func set(spec *ebpf.CollectionSpec, constants map[string]any) error {
	for name, value := range constants {
		if err := spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// adopt takes ownership of the loaded maps, and maps their memory.
func (t *Tracer) adopt(c *ebpf.Collection) error {
	if err := c.Assign(&t.maps); err != nil {
		return err
	}
	memory, err := t.mmap(t.maps.Cells)
	if err != nil {
		return err
	}
	t.cells = newCells(memory, t.config.CellsPerCPU)
	t.cells.packetsUnreadable = t.packetsUnreadable
	if memory, err = t.mmap(t.maps.Stats); err != nil {
		return err
	}
	t.stats = newStats(memory)
	if t.reader, err = ringbuf.NewReader(t.maps.Samples); err != nil {
		return fmt.Errorf("map ring buffer: %w", err)
	}
	return nil
}

func (t *Tracer) mmap(m *ebpf.Map) ([]byte, error) {
	memory, err := mapMemory(m)
	if err == nil {
		t.memory = append(t.memory, memory)
	}
	return memory, err
}

// mapMemory maps the values of an array. The kernel rounds the size of a value up to 8 bytes.
func mapMemory(m *ebpf.Map) ([]byte, error) {
	size := int((m.ValueSize() + 7) / 8 * 8 * m.MaxEntries())
	memory, err := unix.Mmap(m.FD(), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", m, err)
	}
	return memory, nil
}
