// SPDX-License-Identifier: Apache-2.0

// Package netns finds, names and enters the network namespaces of a node.
package netns
