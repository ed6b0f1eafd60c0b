// SPDX-License-Identifier: Apache-2.0

// Package ledger holds what the node itself counts of its lost packets against the
// drops that were traced. A row is a counter that moved:
//
//	delta = traced + unseen + unexplained
//
// Traced are drops of the counter's namespace and device that move it, as pkg/dropreason
// knows by their reason and the function that freed them. Unseen are losses of which the
// counter is the only witness, since no skb was freed: a full ring of the NIC, for one.
// What is left is unexplained, and a row with more than 5 % of that is not to be trusted.
//
// A drop moves several counters, of its device, of its qdisc, of its protocol, and
// each has its row. Packets are added up once: in the first row that counts them. A row
// without packets of its own names the one that has them (Mirrors), or is part of another
// counter of the same source (Within).
package ledger
