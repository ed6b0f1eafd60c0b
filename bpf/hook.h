/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a program at a tracepoint is given. Each is compiled once, and loaded as tp_btf,
 * raw_tp or tracepoint: the verifier takes out what the others need.
 */
#ifndef DROPWATCH_HOOK_H
#define DROPWATCH_HOOK_H

#include "tracepoint.h"
#include "wire.h"

/* The same for all programs at tracepoints. */
const volatile enum given given = GIVEN_TYPES;

/* The kernel tells its types itself, so that helpers may return pointers with one. */
const volatile bool typed = true;

/* Argument n of the tracepoint, or the field of its record that holds it. */
#define ARGUMENT(ctx, n, record, field)                                                            \
	({                                                                                         \
		__u64 __argument;                                                                  \
		if (given == GIVEN_RECORD)                                                         \
			__argument = (__u64)((struct trace_event_raw_##record *)(ctx))->field;     \
		else                                                                               \
			__argument = ((__u64 *)(ctx))[n];                                          \
		__argument;                                                                        \
	})

/* Whether pointers among the arguments may be followed without a helper. */
#define DIRECT (given == GIVEN_TYPES)

#endif
