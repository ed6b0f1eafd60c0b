// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"errors"
	"time"
)

// errStuck says that work took too long and still runs, or was not started because the time
// is over or too many earlier calls still run.
var errStuck = errors.New("took too long")

// attempts bounds the wait for work that may never end: to open a file of an unreachable
// file server, or of a hostile FUSE server in a container.
type attempts struct {
	slots chan struct{}
	until time.Time
}

func newAttempts(most int) *attempts { return &attempts{slots: make(chan struct{}, most)} }

// attempt runs work and waits for it until a.until. A result that comes later is discarded
// without being closed. An *os.File closes itself when it is collected.
func attempt[T any](a *attempts, work func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	var none T
	if !time.Now().Before(a.until) {
		return none, errStuck
	}
	select {
	case a.slots <- struct{}{}:
	default:
		return none, errStuck
	}
	done := make(chan outcome, 1)
	go func() {
		value, err := work()
		<-a.slots
		done <- outcome{value, err}
	}()
	timer := time.NewTimer(time.Until(a.until))
	defer timer.Stop()
	select {
	case o := <-done:
		return o.value, o.err
	case <-timer.C:
		return none, errStuck
	}
}
