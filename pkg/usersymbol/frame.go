// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"github.com/ianlancetaylor/demangle"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/symbolize"
)

// Frame is an address in the code of a process and what it is called. Name is
// empty if that is unknown, Module if no file is mapped there. Both are printable,
// see event.Text: a process chooses its symbols and the names of its files.
type Frame struct {
	Addr uint64
	symbolize.Symbol
}

// maxDemangled is the binary logarithm of the length to which a demangled name is cut.
const maxDemangled = 10

// functionName makes a name from a symbol table readable: that of a C++ or Rust
// function without its parameters, others, such as Go's, as they are.
func functionName(raw []byte) (name string) {
	name = string(raw)
	defer func() {
		// Whoever wrote the file may have looked for a name that the demangler cannot bear.
		_ = recover()
		name = event.Text([]byte(name))
	}()
	return demangle.Filter(name, demangle.NoParams, demangle.MaxLength(maxDemangled))
}
