// SPDX-License-Identifier: Apache-2.0

//go:build linux

package trace

import (
	"errors"
	"fmt"
	"sync"
)

// attach attaches all programs.
func (s *stalls) attach() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.stopped {
		return nil
	}
	for _, p := range s.probes {
		program := s.collection.Programs[p.program]
		l, err := p.attach(program)
		if err != nil {
			return fmt.Errorf("attach %s: %w", program, err)
		}
		s.links = append(s.links, l)
	}
	return nil
}

func (s *stalls) detach() error {
	s.lock.Lock()
	defer s.lock.Unlock()
	errs := make([]error, len(s.links))
	var all sync.WaitGroup
	for i, l := range s.links { // concurrently: each waits for an RCU grace period
		all.Go(func() { errs[i] = l.Close() })
	}
	all.Wait()
	s.links = nil
	return errors.Join(errs...)
}

// stop detaches all programs. A later attach does nothing.
func (s *stalls) stop() error {
	s.lock.Lock()
	s.stopped = true
	s.lock.Unlock()
	return s.detach()
}
