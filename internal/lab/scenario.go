// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// A Scenario makes packets die in one way.
type Scenario struct {
	Name string // unique: lower case, words joined by dashes
	Doc  string // how the packets die, in one phrase

	arp     bool // in a network that resolves neighbours
	prepare func(*Scene) error
}

// Scenarios returns all there are, grouped by where in the kernel packets die.
func Scenarios() []Scenario {
	return slices.Concat(linkScenarios(), ipScenarios(), forwardScenarios(), udpScenarios(),
		tcpScenarios(), filterScenarios(), ipsecScenarios(), queueScenarios(), neighbourScenarios(), deviceScenarios())
}

// Prepare sets the scene. An error that matches errors.ErrUnsupported means that
// the running kernel lacks what the scenario needs. The caller must close the scene.
func (s Scenario) Prepare() (*Scene, error) {
	network, err := newNet(s.arp)
	if err != nil {
		return nil, fmt.Errorf("prepare %s: %w", s.Name, err)
	}
	return s.prepareIn(network)
}

// prepareIn sets the scene in a network, which it closes if that fails.
func (s Scenario) prepareIn(network *Net) (*Scene, error) {
	scene := &Scene{name: s.Name, net: network}
	if err := scene.set(s.prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare %s: %w", s.Name, err), scene.Close())
	}
	return scene, nil
}

// Run sets the scene, sends until exactly n packets have died, and clears away.
// To look at devices while they exist use Prepare.
func (s Scenario) Run(ctx context.Context, n int) (out Outcome, err error) {
	scene, err := s.Prepare()
	if err != nil {
		return Outcome{}, err
	}
	defer func() { err = errors.Join(err, scene.Close()) }()
	return scene.Send(ctx, n)
}
