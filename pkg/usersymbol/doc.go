// SPDX-License-Identifier: Apache-2.0

// Package usersymbol names addresses in the code of processes: by their mappings and the
// symbol tables of mapped files, and by the tables of functions of Go programs.
package usersymbol
