// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bufio"
	"fmt"
	"io/fs"
	"slices"
)

// Variables reads the addresses of the kernel image's own variables under root, those of
// the names that it lists: per-CPU ones by their offset, on x86 up to 6.14 from 0, and
// none but with CONFIG_KALLSYMS_ALL. Where kernel.kptr_restrict hides addresses, none.
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
