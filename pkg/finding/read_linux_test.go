// SPDX-License-Identifier: Apache-2.0

//go:build linux

package finding

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// readings are the counters that rules use: the machine's, and those of a network.
func readings(t *testing.T, network *lab.Net) []event.Reading {
	t.Helper()
	all := softnet(t)
	all = append(all, columns(t, "/proc/net/stat/arp_cache", event.Counter{Source: event.CounterNeighbour, Part: "arp_cache"})...)
	for _, h := range []*lab.Host{network.Tx, network.Rx} {
		check(t, h.Do(func() error {
			ns := event.Netns{Inode: h.Netns}
			for _, file := range []string{"snmp", "netstat"} {
				all = append(all, protocols(t, "/proc/thread-self/net/"+file, ns)...)
			}
			all = append(all, devices(t, ns)...)
			return nil
		}))
	}
	return all
}

func text(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	check(t, err)
	return string(content)
}

func softnet(t *testing.T) []event.Reading {
	var all []event.Reading
	cpu := 0
	for line := range strings.Lines(text(t, "/proc/net/softnet_stat")) {
		words := strings.Fields(line)
		for i, name := range map[int]string{1: "dropped", 2: "time_squeeze"} {
			value, err := strconv.ParseUint(words[i], 16, 64)
			check(t, err)
			all = append(all, event.Reading{Counter: event.Counter{Source: event.CounterSoftnet, Name: name, Part: fmt.Sprintf("cpu %d", cpu)}, Value: value})
		}
		cpu++
	}
	return all
}

// columns adds up the rows of a file of hexadecimal numbers.
func columns(t *testing.T, file string, counter event.Counter) []event.Reading {
	var all []event.Reading
	for i, line := range strings.Split(strings.TrimSpace(text(t, file)), "\n") {
		for j, word := range strings.Fields(line) {
			if i == 0 {
				counter.Name = word
				all = append(all, event.Reading{Counter: counter})
				continue
			}
			value, err := strconv.ParseUint(word, 16, 64)
			check(t, err)
			all[j].Value += value
		}
	}
	return all
}

// protocols reads pairs of lines, names and values.
func protocols(t *testing.T, file string, ns event.Netns) []event.Reading {
	var all []event.Reading
	lines := strings.Split(strings.TrimSpace(text(t, file)), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for j := 1; j < len(names); j++ {
			value, err := strconv.ParseInt(values[j], 10, 64) // limits are -1
			check(t, err)
			name := strings.TrimSuffix(names[0], ":") + names[j]
			all = append(all, event.Reading{Counter: event.Counter{Source: event.CounterProtocol, Name: name, Netns: ns}, Value: uint64(max(0, value))})
		}
	}
	return all
}

// devices reads what devices and their qdiscs dropped in the thread's namespace.
func devices(t *testing.T, ns event.Netns) []event.Reading {
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	check(t, err)
	defer handle.Close()
	links, err := handle.LinkList()
	check(t, err)
	var all []event.Reading
	for _, link := range links {
		device := link.Attrs().Name
		counter := event.Counter{Source: event.CounterLink, Name: "rx_dropped", Netns: ns, Device: device}
		all = append(all, event.Reading{Counter: counter, Value: link.Attrs().Statistics.RxDropped})
		qdiscs, err := handle.QdiscList(link)
		check(t, err)
		for _, q := range qdiscs {
			if q.Attrs().Statistics == nil || q.Attrs().Statistics.Queue == nil {
				continue
			}
			part := fmt.Sprintf("%s %x:", q.Type(), q.Attrs().Handle>>16)
			counter := event.Counter{Source: event.CounterQdisc, Name: "dropped", Netns: ns, Device: device, Part: part}
			all = append(all, event.Reading{Counter: counter, Value: uint64(q.Attrs().Statistics.Queue.Drops)})
		}
	}
	return all
}
