// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"github.com/ianlancetaylor/demangle"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// Frame is a code address of a process and its symbol. Name is empty if it is unknown, Module
// if no file is mapped at the address. Both are escaped by event.Text, because a process
// chooses its symbols and the names of its files.
type Frame struct {
	Addr uint64
	symbolize.Symbol
}

// maxDemangled is the binary logarithm of the length at which a demangled name is cut.
const maxDemangled = 10

// functionName demangles the name of a C++ or Rust function, without its parameters. It
// returns other names, such as those of Go functions, unchanged but for event.Text.
func functionName(raw []byte) (name string) {
	name = string(raw)
	defer func() {
		// A hostile file may contain a name that makes the demangler panic.
		_ = recover()
		name = event.Text([]byte(name))
	}()
	return demangle.Filter(name, demangle.NoParams, demangle.MaxLength(maxDemangled))
}
