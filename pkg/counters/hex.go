// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"fmt"
	"strconv"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// columns parses files in /proc/net/stat: a line of names, then a line of hexadecimal numbers
// for each CPU (nf_conntrack_standalone.c, net/core/neighbour.c). A counter is the sum of its
// column.
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

// addRow adds the numbers of a row to the sums of the named columns.
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

// columnNames returns the names in a heading, an empty string for a column that does not count
// losses.
func (p *parser) columnNames(heading []byte) []string {
	return p.names(heading, func() (names []string) {
		for word, rest := next(heading); len(word) > 0; word, rest = next(rest) {
			names = append(names, lossOnly(string(word), isLossColumn))
		}
		return names
	})
}

// isLossColumn reports whether a column counts lost packets. In nf_conntrack, early_drop counts
// connections evicted for new ones, and chainlength (in 6.1, not in 5.10) connections refused
// because their hash chain was too long; search_restart and clashres count no losses.
func isLossColumn(name string) bool {
	switch name {
	case "invalid", "insert_failed", "drop", "early_drop", "icmp_error", "chainlength", // nf_conntrack
		"res_failed", "unresolved_discards", "table_fulls": // arp_cache, ndisc_cache
		return true
	}
	return false
}

// softnet parses softnet_stat: a line of hexadecimal 32-bit counters for each online CPU
// (softnet_seq_show, net/core/net-procfs.c). Since 5.10 column 13 is the number of the CPU;
// on older kernels softnet uses the number of the line.
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

// softnetColumns are the columns that count or explain losses. backlog_len is not a counter,
// but the number of packets that wait.
func softnetColumns() [4]softnetColumn {
	return [...]softnetColumn{{"dropped", 1, false}, {"time_squeeze", 2, false}, {"flow_limit", 10, false}, {"backlog_len", 11, true}}
}

// cpu returns the name of a CPU. It caches the names of the first 4096.
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

// hexColumn returns the number in a column, counted from 0.
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

// column returns the word in a column, empty if the row is shorter.
func column(row []byte, index int) []byte {
	word, rest := next(row)
	for range index {
		word, rest = next(rest)
	}
	return word
}
