// SPDX-License-Identifier: Apache-2.0

//go:build linux

package host

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// drivers appends the statistics of the drivers of the interfaces listed last. An
// interface that went away meanwhile has none; after another error the rest is read.
func (c *netnsCounters) drivers(dst []event.Reading, m *counterMemory) ([]event.Reading, error) {
	if c.ethtool == nil {
		return dst, nil
	}
	var failed error
	for _, d := range c.devices.listed {
		more, err := c.driver(dst, d, m)
		if errors.Is(err, errRecounted) {
			d.asked = false
			more, err = c.driver(dst, d, m)
		}
		if err != nil && !errors.Is(err, unix.ENODEV) && failed == nil {
			failed = fmt.Errorf("read %s counters: %w", event.CounterDriver, err)
		}
		dst = more
	}
	return dst, failed
}

// driver appends the statistics of one driver. After an error it appends none. A driver
// that had none at first is not asked again.
func (c *netnsCounters) driver(dst []event.Reading, d *device, m *counterMemory) ([]event.Reading, error) {
	if !d.asked {
		names, err := c.ethtool.names(d.name, &m.ethtool)
		if err != nil {
			return dst, err
		}
		d.statistics, d.asked = newStatistics(names), true
	}
	if len(d.statistics.of) == 0 {
		return dst, nil
	}
	values, err := c.ethtool.values(d.name, len(d.statistics.of), &m.ethtool)
	if err != nil {
		return dst, err
	}
	first := len(dst)
	counter := event.Counter{Source: event.CounterDriver, Netns: c.netns, Device: d.text, Index: int(d.index)}
	for _, counter.Name = range d.statistics.names {
		dst = append(dst, event.Reading{Counter: counter})
	}
	for i, place := range d.statistics.of {
		if place >= 0 {
			dst[first+place].Value += values[i]
		}
	}
	return dst, nil
}

// disciplines appends the counters of the queueing disciplines of the interfaces listed
// last. They are of 32 bits in the kernel.
func (c *netnsCounters) disciplines(dst []event.Reading, m *counterMemory) ([]event.Reading, error) {
	if c.route == nil {
		return dst, nil
	}
	if err := c.listQdiscs(m); err != nil {
		return dst, fmt.Errorf("read %s counters: %w", event.CounterQdisc, err)
	}
	for i := range m.qdiscs {
		q := &m.qdiscs[i]
		device := c.devices.byIndex[q.device]
		if device == nil || !q.counted || q.sums() {
			continue
		}
		counter := event.Counter{Source: event.CounterQdisc, Netns: c.netns, Device: device.text, Index: int(device.index), Part: m.part(q.qdiscID)}
		if !nested(q, m.qdiscs) {
			counter.Name = "dropped"
			dst = append(dst, event.Reading{Counter: counter, Value: uint64(q.drops)})
		}
		counter.Name = "overlimits"
		dst = append(dst, event.Reading{Counter: counter, Value: uint64(q.overlimits)})
	}
	return dst, nil
}

// listQdiscs fills m.qdiscs.
func (c *netnsCounters) listQdiscs(m *counterMemory) (err error) {
	for range dumpAttempts {
		m.qdiscs = m.qdiscs[:0]
		err = c.route.dump(unix.RTM_GETQDISC, sizeofTcmsg, m.dump, func(message []byte) error {
			q, err := parseQdisc(message, m.kinds)
			m.qdiscs = append(m.qdiscs, q)
			return err
		})
		if !errors.Is(err, errInterrupted) {
			return err
		}
	}
	return err
}
