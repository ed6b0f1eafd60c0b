// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// drivers reads the driver statistics of the interfaces in the last list. It skips an interface
// that is gone. After another error it continues with the next interface and returns the first
// error.
func (v *visit) drivers() error {
	var failed error
	for _, d := range v.devices.listed {
		err := v.driver(d)
		if errors.Is(err, errRecounted) {
			d.asked = false
			err = v.driver(d)
		}
		if err != nil && !errors.Is(err, unix.ENODEV) && failed == nil {
			failed = fmt.Errorf("read %s counters: %w", event.CounterDriver, err)
		}
	}
	return failed
}

// driver reads the driver statistics of one interface. With an error it adds none. It does not
// ask a driver without statistics again.
func (v *visit) driver(d *device) error {
	drivers := driverSocket{v.route.FD}
	if !d.asked {
		names, err := drivers.names(d.name, &v.ethtool)
		if err != nil {
			return err
		}
		d.statistics, d.asked = newStatistics(names), true
	}
	if len(d.statistics.of) == 0 {
		return nil
	}
	values, err := drivers.values(d.name, len(d.statistics.of), &v.ethtool)
	if err != nil {
		return err
	}
	first, counter := len(v.now), v.counter(event.CounterDriver, d)
	for _, counter.Name = range d.statistics.names {
		v.now = append(v.now, event.Reading{Counter: counter})
	}
	for i, place := range d.statistics.of {
		if place >= 0 {
			v.now[first+place].Value += values[i]
		}
	}
	return nil
}

// disciplines reads the counters of the qdiscs of the interfaces in the last list. They have 32
// bits in the kernel.
func (v *visit) disciplines() error {
	if err := v.listQdiscs(); err != nil {
		return fmt.Errorf("read %s counters: %w", event.CounterQdisc, err)
	}
	for i := range v.qdiscs {
		q := &v.qdiscs[i]
		device := v.devices.byIndex[q.device]
		if device == nil || !q.counted || q.isAggregate() {
			continue
		}
		counter := v.counter(event.CounterQdisc, device)
		counter.Part = v.part(q.qdiscID)
		if !nested(q, v.qdiscs) {
			counter.Name = "dropped"
			v.now = append(v.now, event.Reading{Counter: counter, Value: uint64(q.drops)})
		}
		counter.Name = "overlimits"
		v.now = append(v.now, event.Reading{Counter: counter, Value: uint64(q.overlimits)})
	}
	return nil
}

// listQdiscs reads v.qdiscs.
func (v *visit) listQdiscs() (err error) {
	for range dumpAttempts {
		v.qdiscs = v.qdiscs[:0]
		err = v.route.Dump(unix.RTM_GETQDISC, sizeofTcmsg, v.dump, func(message []byte) error {
			q, err := parseQdisc(message, v.kinds)
			v.qdiscs = append(v.qdiscs, q)
			return err
		})
		if !errors.Is(err, rtnl.ErrInterrupted) {
			return err
		}
	}
	return err
}
