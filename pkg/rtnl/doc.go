// SPDX-License-Identifier: Apache-2.0

// Package rtnl asks the kernel for lists of links and qdiscs over rtnetlink, once a second
// and more, without garbage.
package rtnl
