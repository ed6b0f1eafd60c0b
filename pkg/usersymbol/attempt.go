// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"errors"
	"time"
)

// errStuck says that work took too long and goes on, or was not begun because too
// much of it does.
var errStuck = errors.New("took too long")

// attempts bounds how long to wait for work that may never end: opening a file of
// a file server that is gone, or of a FUSE server in a container that means harm.
type attempts struct {
	slots chan struct{}
	until time.Time
}

func newAttempts(most int) *attempts { return &attempts{slots: make(chan struct{}, most)} }

// attempt waits for work until the time set. What it returns later is lost, so that
// work must not need its result to be closed; an *os.File closes itself.
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
