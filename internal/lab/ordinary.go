// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// An Ordinary is traffic of ordinary life, in which nothing is lost that anybody
// misses. A tracer may see drops, and has to say so of them.
type Ordinary struct {
	Name string // unique: lower case, words joined by dashes
	Doc  string // what goes on, in one phrase
	do   func(context.Context, *LAN) error
}

// Ordinaries returns all there are.
func Ordinaries() []Ordinary {
	return slices.Concat(ordinaryTCP(), ordinaryUDP(), ordinaryICMP(), ordinaryLAN(), ordinaryDevices())
}

// Make makes the traffic on a LAN, and returns when it is over. An error that matches
// errors.ErrUnsupported means that the running kernel lacks what it needs.
func (o Ordinary) Make(ctx context.Context, lan *LAN) error {
	if err := o.do(ctx, lan); err != nil {
		return fmt.Errorf("make %s: %w", o.Name, err)
	}
	return nil
}

// both does two things at once.
func both(a, b func() error) error {
	done := make(chan error, 1)
	go func() { done <- a() }()
	err := b()
	return errors.Join(err, <-done)
}
