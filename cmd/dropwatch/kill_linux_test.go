// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// TestKilledAnytime kills recorders at random moments, from before they record to a while
// after. Each time both files can be read, and the last one that was finished is there.
func TestKilledAnytime(t *testing.T) {
	labtest.NeedRoot(t)
	const kills, atOnce = 200, 4
	var group sync.WaitGroup
	placed := make(chan int, atOnce)
	for i := range atOnce {
		group.Go(func() { placed <- killOften(t, kills/atOnce, uint64(i)) })
	}
	to := closedPort(t)
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		case <-time.After(5 * time.Millisecond):
			send(t, to, 20)
		}
	}
	sum := 0
	for range atOnce {
		sum += <-placed
	}
	if sum == 0 || sum == kills {
		t.Errorf("%d of %d recorders had a file when they were killed; want some, not all", sum, kills)
	}
	t.Logf("%d of %d recorders had a file when they were killed", sum, kills)
}

// killOften returns how many of the recorders that it killed had a file by then.
func killOften(t *testing.T, kills int, seed uint64) (placed int) {
	random := rand.New(rand.NewPCG(seed, 12))
	first, stderr := dropwatch(t, "record", "-q", "-d", "100ms")
	if err := first.Run(); err != nil {
		t.Errorf("%v: %s", err, stderr)
		return 0
	}
	now, old := filepath.Join(first.Dir, recording.DefaultName), filepath.Join(first.Dir, recording.DefaultName+".old")
	good, err := os.ReadFile(now)
	if err != nil {
		t.Error(err)
		return 0
	}
	for i := range kills {
		before, _ := os.Stat(now) // it is there
		cmd, _ := dropwatch(t, "record", "-q")
		cmd.Dir = first.Dir
		if err := cmd.Start(); err != nil {
			t.Error(err)
			return placed
		}
		most := time.Second
		if i%4 == 0 { // else mostly before it records
			most = 300 * time.Millisecond
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
				if info, err := os.Stat(now); err == nil && !os.SameFile(before, info) {
					break
				}
			}
		}
		time.Sleep(time.Duration(random.Int64N(int64(most))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // tells of the signal
		after, err := os.Stat(now)
		if err != nil {
			t.Errorf("kill %d: %v", i, err)
			return placed
		}
		if !os.SameFile(before, after) {
			placed++
		}
		if err := errors.Join(readableFile(now), readableFile(old)); err != nil {
			t.Errorf("kill %d: %v", i, err)
		}
		if content, _ := os.ReadFile(now); string(content) == string(good) {
			continue
		}
		if content, err := os.ReadFile(old); err != nil || string(content) != string(good) {
			t.Errorf("kill %d: the recording that was finished is gone: %v", i, err)
		}
	}
	names(t, first.Dir)
	return placed
}

// readableFile returns an error unless a file is missing or a recording with an event in
// it, whole or cut short.
func readableFile(path string) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	src, err := recording.NewReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer src.Close()
	for n := 0; ; n++ {
		_, err := src.Next()
		if err == nil {
			continue
		}
		if _, cut := event.AsCut(err); n > 0 && (cut || errors.Is(err, io.EOF)) {
			return nil
		}
		return fmt.Errorf("%s, %d events: %w", path, n, err)
	}
}
