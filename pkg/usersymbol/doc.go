// SPDX-License-Identifier: Apache-2.0

// Package usersymbol names code addresses of processes. It reads their mappings, the symbol
// tables of the mapped files, and the function tables of Go programs.
package usersymbol
