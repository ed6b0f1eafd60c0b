// SPDX-License-Identifier: Apache-2.0

//go:build linux

package node

import (
	"errors"
	"fmt"

	"github.com/safchain/ethtool"
	"golang.org/x/sys/unix"
)

// Device implements LinkReader.
func (l *liveLinks) Device(name string) (device Device, err error) {
	err = within{l.path}.do(func() error {
		tool, err := ethtool.NewEthtool()
		if err != nil {
			return fmt.Errorf("open socket: %w", err)
		}
		defer tool.Close()
		device, err = query(tool, name)
		return err
	})
	return device, err
}

// query reads a driver's name, rings, channels and features. If the driver answers EOPNOTSUPP
// to a request, those fields stay zero.
func query(tool *ethtool.Ethtool, name string) (Device, error) {
	var d Device
	driver, err := tool.DriverName(name)
	if err := answered(err); err != nil {
		return d, fmt.Errorf("get driver: %w", err)
	}
	d.Driver = driver
	ring, err := tool.GetRing(name)
	if err := answered(err); err != nil {
		return d, fmt.Errorf("get rings: %w", err)
	}
	d.Ring = Ring{Rx: ring.RxPending, RxMax: ring.RxMaxPending}
	channels, err := tool.GetChannels(name)
	if err := answered(err); err != nil {
		return d, fmt.Errorf("get channels: %w", err)
	}
	d.Channels = Channels{
		Rx: channels.RxCount, RxMax: channels.MaxRx,
		Combined: channels.CombinedCount, CombinedMax: channels.MaxCombined,
	}
	features, err := tool.FeaturesWithState(name)
	if err := answered(err); err != nil {
		return d, fmt.Errorf("get features: %w", err)
	}
	// ethtool prints [fixed] for a feature that is not available (hw_features in struct
	// net_device).
	checks := features["rx-checksum"]
	d.RxChecks = checks.Active && checks.Available && !checks.NeverChanged
	return d, nil
}

func answered(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}
