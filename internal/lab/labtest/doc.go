// SPDX-License-Identifier: Apache-2.0

// Package labtest lets tests of any package say what they need of the machine.
//
// A test that cannot run skips through this package and in no other way. Where
// the environment variable DROPWATCH_CI is set to anything, it fails instead: a
// machine that is meant to run every test must not skip one unnoticed.
package labtest
