/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting: every drop finds its cell and is counted in it; a few drops of each
 * cell are chosen to be unwound.
 *
 * The drops of a cell are cut into blocks. Within each block one drop, drawn at
 * random, becomes the sample and stands for the whole block. A block's length is
 * fixed before its first drop, so every drop's expected weight is one whatever
 * comes in bursts. All of this needs one countdown: the clock and the random
 * number are asked only at a sample.
 */
#ifndef DROPWATCH_CELL_H
#define DROPWATCH_CELL_H

#include "kernel.h"
#include "wire.h"

#define MAX_PROBES 16
#define MAX_BLOCK  0xffff

/* Cells of a CPU, a power of two. The first of each CPU is its overflow cell. */
const volatile __u32 cells_per_cpu = 1024;

/* Unwind every drop. */
const volatile bool exact = false;

/* An interrupt's drop may run the program within itself (before 6.2, 05b24ff9b2cf). */
const volatile bool nests = true;

/* Samples all cells together may take in a window. */
const volatile __u32 budget = 1000;

/* Key: CPU * cells_per_cpu + slot. Value: a cell, until it is freed (wire.h). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct cell);
} cells SEC(".maps");

/* Key: that of its cell. Value: its schedule, apart as only samples look at it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct schedule);
} schedules SEC(".maps");

/*
 * Key: CPU. Value: what became of its samples and how many it may take, for the life of
 * the program. What is common to all lies in the first one's: a section of its own takes
 * memory that may be short.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cpu_stats);
} stats SEC(".maps");

static __always_inline bool same_key(const struct cell_key *a, const struct cell_key *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2];
}

static __always_inline __u32 hash_key(const struct cell_key *key)
{
	const __u64 *word = (const __u64 *)key;
	__u64 hash = word[0];

	hash ^= word[1] * 0x9e3779b97f4a7c15ULL;
	hash ^= word[2] * 0xff51afd7ed558ccdULL;
	hash ^= hash >> 32; /* else what lies in the upper bytes of a word moves no lower bit */
	return hash * 0xc4ceb9fe1a85ec53ULL >> 32;
}

/*
 * What a cell says beside its key, never 0. The stores to a new cell reach user space
 * in any order on arm64, and before BPF had a release store (6.15) or an atomic that
 * returns a value (5.12) a program could not keep them in one: user space tells by this
 * whether it has read all of a key, or takes the cell up the next time.
 */
static __always_inline __u32 check_of(const struct cell_key *key)
{
	return hash_key(key) | 1;
}

static __always_inline __u32 index_of(__u32 cpu, __u32 slot)
{
	return cpu * cells_per_cpu + (slot & (cells_per_cpu - 1));
}

static __always_inline struct cell *cell_at(__u32 cpu, __u32 slot)
{
	__u32 index = index_of(cpu, slot);

	return bpf_map_lookup_elem(&cells, &index);
}

/*
 * The cell of a key. Where one before it was freed it may not be found, and a second one
 * is made: user space adds cells of equal keys up, and the first comes to rest.
 */
static __always_inline struct cell *look_up(const struct cell_key *key, __u32 cpu)
{
	__u32 hash = hash_key(key), i;
	struct cell *cell;

	for (i = 0; i < MAX_PROBES; i++) {
		cell = cell_at(cpu, hash + i);
		if (!cell)
			return NULL;
		if (same_key(&cell->key, key))
			return cell;
		/* The overflow cell seems free, but nobody takes it, and keys may lie behind it. */
		if (cell->state == CELL_FREE && (hash + i) & (cells_per_cpu - 1))
			return NULL;
	}
	return NULL;
}

/*
 * Takes a free cell for key. A CPU's cells are touched by that CPU alone, and a
 * drop that interrupts this one runs to its end before this one goes on: whoever
 * reads back CELL_CLAIMED owns the cell. (Atomics that return a value need 5.12.)
 * The key comes last but for the state: a drop that interrupts finds a cell that
 * counts already, or none. A cell that was freed is cleared here too: by the stores of
 * user space alone this CPU might still read what it once wrote.
 */
static __always_inline bool claim(struct cell *cell, const struct cell_key *key, __u32 index)
{
	volatile __u32 *state = (volatile __u32 *)&cell->state;
	struct schedule *s = bpf_map_lookup_elem(&schedules, &index);

	if (!s)
		return false;
	__sync_fetch_and_add(state, CELL_CLAIMED);
	if (*state != CELL_CLAIMED)
		return false;
	__builtin_memset(s, 0, sizeof(*s));
	cell->drops = 0;
	cell->bytes = 0;
	cell->more = 0;
	cell->left = 0;
	cell->index = index;
	cell->check = check_of(key);
	barrier();
	cell->key = *key;
	barrier();
	*state = CELL_IN_USE;
	return true;
}

/* A new cell for key, or the CPU's overflow cell if there is no room. */
static __noinline struct cell *insert(const struct cell_key *key, __u32 cpu)
{
	struct cell *cell;
	__u32 hash, i;

	if (!key)
		return NULL;
	hash = hash_key(key);
	for (i = 0; i < MAX_PROBES; i++) {
		if (!((hash + i) & (cells_per_cpu - 1)))
			continue;
		cell = cell_at(cpu, hash + i);
		if (!cell)
			return NULL;
		if (cell->state == CELL_FREE && claim(cell, key, index_of(cpu, hash + i)))
			return cell;
	}
	cell = cell_at(cpu, 0);
	if (cell)
		cell->index = index_of(cpu, 0);
	return cell;
}

/* Counts a drop of len bytes and 1 + more segments; true if it is the sample of its block. */
static __always_inline bool count(struct cell *cell, __u32 len, __u32 more)
{
	if (nests) {
		__sync_fetch_and_add(&cell->drops, 1);
		if (len) /* clang makes a read of adding nothing, which needs 5.12 */
			__sync_fetch_and_add(&cell->bytes, len);
		if (more)
			__sync_fetch_and_add(&cell->more, more);
	} else {
		cell->drops++;
		cell->bytes += len;
		if (more)
			cell->more += more;
	}
	if (exact || cell->left <= 1)
		return true;
	cell->left--;
	return false;
}

/*
 * Samples that a cell may take in this window: its share. User space learns of a storm
 * only when it next looks: until then, once all cells have taken twice the budget,
 * each gets by on a sixteenth.
 */
static __always_inline __u32 quota(__u32 share, __u16 window)
{
	__u32 first = 0;
	struct cpu_stats *all = bpf_map_lookup_elem(&stats, &first);

	if (!all)
		return 1;
	/* Two CPUs may both begin a window and lose a few samples from the sum. */
	if (all->window != window) {
		all->window = window;
		all->window_samples = 0;
	}
	__sync_fetch_and_add(&all->window_samples, 1);
	if (*(volatile __u32 *)&all->window_samples > 2 * budget && share > budget / 16)
		return budget / 16 ?: 1;
	return share ?: 1;
}

/*
 * The length of the next block. A cell begins a window with blocks that give it
 * its quota at the rate of the window before; past its quota, at this window's.
 */
static __always_inline __u64 next_length(struct schedule *s, __u32 share, __u32 drops, __u64 now_ns)
{
	__u16 window = now_ns >> WINDOW_SHIFT, time = now_ns >> (WINDOW_SHIFT - 16);
	__u16 windows = window - s->window, elapsed = time - s->window_start;
	__u64 passed = drops - s->window_drops;
	__u32 allowed = quota(share, window);

	if (windows) {
		s->window = window;
		s->window_start = time;
		s->window_drops = drops;
		s->window_samples = 1;
		return passed / windows / allowed;
	}
	if (s->window_samples < 0xffff)
		s->window_samples++;
	if (s->window_samples <= allowed)
		return s->block;
	return (passed << 16) / (elapsed ?: 1) / allowed;
}

/* Draws the cell's next sample and returns how many drops this one stands for. */
static __always_inline __u32 next_block(struct cell *cell, __u32 share, __u64 now_ns)
{
	__u32 index = cell->index, block, place;
	struct schedule *s = bpf_map_lookup_elem(&schedules, &index);
	__u64 length;

	if (!s)
		return 1;
	length = next_length(s, share, cell->drops, now_ns);
	block = s->block;
	/* A new cell, or one whose storm is over: its old block could last for hours. */
	if (!cell->left) {
		s->rest = 0;
		length = block = 1;
	}
	if (length > MAX_BLOCK)
		length = MAX_BLOCK;
	if (length < 1)
		length = 1;
	place = ((__u64)bpf_get_prandom_u32() * length >> 32) + 1;
	cell->left = s->rest + place;
	s->rest = length - place;
	s->block = length;
	return block;
}

#endif
