// SPDX-License-Identifier: Apache-2.0

// Package browser tests the pictures of package flamegraph in Chromium: what
// readers click, type, see and hear. It is a module of its own, so that those
// who import flamegraph need none of what drives a browser.
//
// To look at pictures that changed on purpose, and to keep them:
//
//	go test -run Screenshot -update
package browser
