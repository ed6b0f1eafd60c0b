// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// A tally is a count of drops that the kernel keeps by itself.
type tally struct {
	name string
	get  func() (uint64, error)
}

// read returns the tally; 0 if the kernel keeps none.
func (t *tally) read() (uint64, error) {
	if t == nil {
		return 0, nil
	}
	count, err := t.get()
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", t.name, err)
	}
	return count, nil
}

// countBy makes a counter the scene's tally, from a file below /proc/net of the
// host: snmp and netstat (key Group.Name) or snmp6 (key Name).
func (s *Scene) countBy(h *Host, file, key string) {
	s.tally = &tally{name: file + " " + key, get: func() (uint64, error) { return h.protocol(file, key) }}
}

// protocol reads a protocol counter of the host.
func (h *Host) protocol(file, key string) (count uint64, err error) {
	err = h.Do(func() error {
		f, err := os.Open("/proc/thread-self/net/" + file)
		if err != nil {
			return err
		}
		defer f.Close()
		counters, err := parseCounters(f)
		if err != nil {
			return err
		}
		var ok bool
		if count, ok = counters[key]; !ok {
			return fmt.Errorf("find %s in /proc/net/%s: %w", key, file, os.ErrNotExist)
		}
		return nil
	})
	return count, err
}

// parseCounters reads both forms in use: "Name value" lines, and pairs of lines
// "Group: Name …" and "Group: value …", whose counters it calls Group.Name.
func parseCounters(r io.Reader) (map[string]uint64, error) {
	counters := map[string]uint64{}
	var names []string
	for scanner := bufio.NewScanner(r); ; {
		if !scanner.Scan() {
			return counters, scanner.Err()
		}
		fields := strings.Fields(scanner.Text())
		switch {
		case len(fields) == 0:
		case !strings.HasSuffix(fields[0], ":"):
			if len(fields) == 2 {
				counters[fields[0]], _ = strconv.ParseUint(fields[1], 10, 64)
			}
		case len(names) > 0 && names[0] == fields[0]:
			for i := 1; i < min(len(names), len(fields)); i++ {
				// Limits such as Tcp.MaxConn are -1, and not asked for.
				value, _ := strconv.ParseUint(fields[i], 10, 64)
				counters[strings.TrimSuffix(fields[0], ":")+"."+names[i]] = value
			}
			names = nil
		default:
			names = fields
		}
	}
}
