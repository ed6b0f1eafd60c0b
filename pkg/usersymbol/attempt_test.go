// SPDX-License-Identifier: Apache-2.0

package usersymbol

import (
	"errors"
	"testing"
	"time"
)

func TestAttempt(t *testing.T) {
	const most = 2
	a := newAttempts(most)
	a.until = time.Now().Add(time.Minute)
	broken := errors.New("broken")
	if v, err := attempt(a, func() (int, error) { return 7, broken }); v != 7 || err != broken {
		t.Errorf("%v, %v", v, err)
	}
	release := make(chan struct{})
	for range most {
		a.until = time.Now().Add(time.Millisecond)
		if _, err := attempt(a, func() (int, error) { <-release; return 0, nil }); err != errStuck {
			t.Errorf("too slow: %v", err)
		}
	}
	begun := false
	if _, err := attempt(a, func() (int, error) { begun = true; return 0, nil }); err != errStuck || begun {
		t.Errorf("too late: %v, begun: %t", err, begun)
	}
	a.until = time.Now().Add(time.Minute)
	if _, err := attempt(a, func() (int, error) { begun = true; return 0, nil }); err != errStuck || begun {
		t.Errorf("too many: %v, begun: %t", err, begun)
	}
	close(release)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if v, err := attempt(a, func() (int, error) { return 7, nil }); v == 7 && err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("still stuck")
		}
	}
}
