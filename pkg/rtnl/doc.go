// SPDX-License-Identifier: Apache-2.0

// Package rtnl dumps links and qdiscs over rtnetlink. It is called every second and reuses
// the caller's buffer, so that a dump leaves no garbage.
package rtnl
