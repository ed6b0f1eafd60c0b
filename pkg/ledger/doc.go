// SPDX-License-Identifier: Apache-2.0

// Package ledger holds what the node itself counts of its lost packets against the
// drops that were traced. A row is a counter that moved:
//
//	delta = traced + unseen + unexplained
//
// Traced are drops of the counter's namespace and device whose reason, as
// pkg/dropreason knows, moves it. Unseen are losses of which the counter is the only
// witness, since no skb was freed: a full ring of the NIC, for one. What is left is
// unexplained, and a row with more than 5 % of that is not to be trusted.
//
// A drop moves several counters, of its device, of its qdisc, of its protocol, and
// each has its row. Only rows that no other one contains are added up.
package ledger
