// SPDX-License-Identifier: Apache-2.0

// Package dropreason turns the kernel's drop reason codes into words.
//
// Names maps codes to names as the running kernel spells them: the codes are not UAPI
// and move with every release, so they come from its BTF, or from tracefs where it has
// none. Lookup maps names to what they mean: the layer that dropped the packet,
// whether that is a loss or in order, one sentence for whoever reads it at night, what
// to check and what to change, and the counters and sysctls to look at next. Names are
// stable enough across releases to be looked up in recordings made on other kernels;
// the few that were renamed are known under each spelling. Where a kernel states no
// reason, Infer tells it from the function that freed the packet, if that leaves no
// doubt.
package dropreason
