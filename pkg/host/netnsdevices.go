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
func (v *visit) drivers(dst []event.Reading) ([]event.Reading, error) {
	var failed error
	for _, d := range v.devices.listed {
		more, err := v.driver(dst, d)
		if errors.Is(err, errRecounted) {
			d.asked = false
			more, err = v.driver(dst, d)
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
func (v *visit) driver(dst []event.Reading, d *device) ([]event.Reading, error) {
	drivers := driverSocket{v.route.fd}
	if !d.asked {
		names, err := drivers.names(d.name, &v.ethtool)
		if err != nil {
			return dst, err
		}
		d.statistics, d.asked = newStatistics(names), true
	}
	if len(d.statistics.of) == 0 {
		return dst, nil
	}
	values, err := drivers.values(d.name, len(d.statistics.of), &v.ethtool)
	if err != nil {
		return dst, err
	}
	first := len(dst)
	counter := event.Counter{Source: event.CounterDriver, Netns: v.netns, Device: d.text, Index: int(d.index)}
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
func (v *visit) disciplines(dst []event.Reading) ([]event.Reading, error) {
	if err := v.listQdiscs(); err != nil {
		return dst, fmt.Errorf("read %s counters: %w", event.CounterQdisc, err)
	}
	for i := range v.qdiscs {
		q := &v.qdiscs[i]
		device := v.devices.byIndex[q.device]
		if device == nil || !q.counted || q.sums() {
			continue
		}
		counter := event.Counter{Source: event.CounterQdisc, Netns: v.netns, Device: device.text, Index: int(device.index), Part: v.part(q.qdiscID)}
		if !nested(q, v.qdiscs) {
			counter.Name = "dropped"
			dst = append(dst, event.Reading{Counter: counter, Value: uint64(q.drops)})
		}
		counter.Name = "overlimits"
		dst = append(dst, event.Reading{Counter: counter, Value: uint64(q.overlimits)})
	}
	return dst, nil
}

// listQdiscs fills qdiscs.
func (v *visit) listQdiscs() (err error) {
	for range dumpAttempts {
		v.qdiscs = v.qdiscs[:0]
		err = v.route.dump(unix.RTM_GETQDISC, sizeofTcmsg, v.dump, func(message []byte) error {
			q, err := parseQdisc(message, v.kinds)
			v.qdiscs = append(v.qdiscs, q)
			return err
		})
		if !errors.Is(err, errInterrupted) {
			return err
		}
	}
	return err
}
