// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"fmt"
	"strconv"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// columns parses the files below /proc/net/stat: a line of names, then a line of
// hexadecimal numbers for each CPU (nf_conntrack_standalone.c, net/core/neighbour.c).
// A counter is the sum of its column.
func (p *parser) columns(dst []event.Reading, counter event.Counter, text []byte) ([]event.Reading, error) {
	heading, rows := cut(text, '\n')
	names, first := p.columnNames(heading), len(dst)
	for _, name := range names {
		if name != "" {
			counter.Name = name
			dst = append(dst, event.Reading{Counter: counter})
		}
	}
	for line := 2; len(rows) > 0; line++ {
		var row []byte
		row, rows = cut(rows, '\n')
		if err := addRow(dst[first:], names, row); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	return dst, nil
}

// addRow adds a row's numbers to the sums of the columns that have names.
func addRow(sums []event.Reading, names []string, row []byte) error {
	for _, name := range names {
		var word []byte
		word, row = next(row)
		if name == "" {
			continue
		}
		value, err := hex(word)
		if err != nil {
			return fmt.Errorf("column %s: %w", name, err)
		}
		sums[0].Value += value
		sums = sums[1:]
	}
	return nil
}

// columnNames returns the names in a heading, empty for what is no loss.
func (p *parser) columnNames(heading []byte) []string {
	return p.names(heading, func() (names []string) {
		for word, rest := next(heading); len(word) > 0; word, rest = next(rest) {
			names = append(names, lossOnly(string(word), isLossColumn))
		}
		return names
	})
}

// isLossColumn tells which columns count lost packets. Of nf_conntrack, early_drop counts
// connections forgotten for others, and chainlength (in 6.1, not in 5.10) those refused
// because their hash chain was too long; search_restart and clashres lose none.
func isLossColumn(name string) bool {
	switch name {
	case "invalid", "insert_failed", "drop", "early_drop", "icmp_error", "chainlength", // nf_conntrack
		"res_failed", "unresolved_discards", "table_fulls": // arp_cache, ndisc_cache
		return true
	}
	return false
}

// softnet parses softnet_stat, a line of hexadecimal numbers for each CPU that is online
// (softnet_seq_show, net/core/net-procfs.c), each counted in 32 bits. Since 5.10 column
// 13 is the CPU's number; before, a CPU is taken for the number of its line.
func (p *parser) softnet(dst []event.Reading, counter event.Counter, text []byte) ([]event.Reading, error) {
	const cpuColumn = 12
	for line := 0; len(text) > 0; line++ {
		var row []byte
		row, text = cut(text, '\n')
		cpu, err := uint64(line), error(nil)
		if len(column(row, cpuColumn)) > 0 {
			cpu, err = hexColumn(row, cpuColumn)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: CPU: %w", line+1, err)
		}
		counter.Part = p.cpu(cpu)
		for _, c := range softnetColumns() {
			if c.since510 && len(column(row, c.index)) == 0 {
				continue
			}
			value, err := hexColumn(row, c.index)
			if err != nil {
				return nil, fmt.Errorf("line %d: %s: %w", line+1, c.name, err)
			}
			counter.Name = c.name
			dst = append(dst, event.Reading{Counter: counter, Value: value})
		}
	}
	return dst, nil
}

type softnetColumn struct {
	name     string
	index    int
	since510 bool // older kernels lack it
}

// softnetColumns are those that count losses or tell of them: backlog_len is no count, but
// how many packets wait.
func softnetColumns() [4]softnetColumn {
	return [...]softnetColumn{{"dropped", 1, false}, {"time_squeeze", 2, false}, {"flow_limit", 10, false}, {"backlog_len", 11, true}}
}

// cpu names a CPU; the names of the first are kept.
func (p *parser) cpu(number uint64) string {
	const kept = 1 << 12
	if number >= kept {
		return cpuName(number)
	}
	for uint64(len(p.cpus)) <= number {
		p.cpus = append(p.cpus, cpuName(uint64(len(p.cpus))))
	}
	return p.cpus[number]
}

func cpuName(number uint64) string { return "cpu " + strconv.FormatUint(number, 10) }

// hexColumn returns the number in a column, the first of which is 0.
func hexColumn(row []byte, index int) (uint64, error) {
	return hex(column(row, index))
}

func hex(word []byte) (uint64, error) {
	value, err := strconv.ParseUint(string(word), 16, 64)
	if err != nil {
		return 0, fmt.Errorf("invalid number %q", word)
	}
	return value, nil
}

// column returns the word in a column, empty if there are not as many.
func column(row []byte, index int) []byte {
	word, rest := next(row)
	for range index {
		word, rest = next(rest)
	}
	return word
}
