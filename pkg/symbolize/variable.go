// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bufio"
	"fmt"
	"io/fs"
	"slices"
)

// Variables reads the addresses of variables in the kernel image from the kallsyms file
// under root. It returns those of names that the file lists, which needs
// CONFIG_KALLSYMS_ALL. The address of a per-CPU variable is its offset, on x86 up to 6.14
// from 0. The map is nil where kernel.kptr_restrict hides addresses.
func Variables(root fs.FS, names ...string) (map[string]uint64, error) {
	file, err := root.Open(kallsyms)
	if err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}
	defer file.Close()
	found := map[string]uint64{}
	hidden := true
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		addr, _, name, module, err := parseLine(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("kallsyms line %d: %w", n, err)
		}
		hidden = hidden && addr == 0
		if len(module) == 0 && slices.Contains(names, string(name)) {
			found[string(name)] = addr
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read variables: %w", err)
	}
	if hidden {
		return nil, nil
	}
	return found, nil
}
