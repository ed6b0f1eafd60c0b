// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// kills is the variable that says how many recorders TestKilledAnytime kills.
const kills = "DROPWATCH_KILLS"

// moment is when a recorder is killed.
type moment int

const (
	beforeFile  moment = iota // at any time up to a second after its start, mostly before it has a file
	whileWrites               // after its file appeared
	whileEnds                 // after it was told to end
)

// fates counts what became of recordings: killed before the new one had its name, while it
// was written, and when it was whole.
type fates struct{ unnamed, cut, whole int }

// TestKilledAnytime kills recorders at random moments of three kinds. Each time both files
// can be read, and the last one that was finished is there.
func TestKilledAnytime(t *testing.T) {
	labtest.NeedRoot(t)
	const atOnce = 4
	each := 10
	if n, err := strconv.Atoi(os.Getenv(kills)); err == nil {
		each = n / atOnce
	}
	var group sync.WaitGroup
	counted := make(chan fates, atOnce)
	for i := range atOnce {
		group.Go(func() { counted <- killOften(t, each, uint64(i)) })
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
	var all fates
	for range atOnce {
		f := <-counted
		all = fates{all.unnamed + f.unnamed, all.cut + f.cut, all.whole + f.whole}
	}
	t.Logf("of %d recorders %d were killed before their file had its name, %d while it was written, %d when it was whole",
		atOnce*each, all.unnamed, all.cut, all.whole)
	if all.unnamed == 0 || all.cut == 0 || all.whole == 0 {
		t.Errorf("one of the three was not reached: %+v", all)
	}
}

// killOften kills a number of recorders and returns what became of their files.
func killOften(t *testing.T, kills int, seed uint64) (all fates) {
	random := rand.New(rand.NewPCG(seed, 12))
	first, stderr := dropwatch(t, "record", "-q", "-d", "100ms")
	if err := first.Run(); err != nil {
		t.Errorf("%v: %s", err, stderr)
		return all
	}
	now, old := filepath.Join(first.Dir, recording.DefaultName), filepath.Join(first.Dir, recording.DefaultName+".old")
	good, err := os.ReadFile(now)
	if err != nil {
		t.Error(err)
		return all
	}
	for i := range kills {
		before, _ := os.Stat(now) // it is there
		if err := killOne(t, first.Dir, before, moment(i%3), random); err != nil {
			t.Errorf("kill %d: %v", i, err)
			return all
		}
		after, err := os.Stat(now)
		if err != nil {
			t.Errorf("kill %d: %v", i, err)
			return all
		}
		cut, err := readFile(now)
		switch {
		case os.SameFile(before, after):
			all.unnamed++
		case cut:
			all.cut++
		default:
			all.whole++
		}
		_, errOld := readFile(old)
		if err := errors.Join(err, errOld); err != nil {
			t.Errorf("kill %d: %v", i, err)
		}
		if !cut { // the next one keeps this as the old one
			if good, err = os.ReadFile(now); err != nil {
				t.Errorf("kill %d: %v", i, err)
			}
			continue
		}
		if content, err := os.ReadFile(old); err != nil || !bytes.Equal(content, good) {
			t.Errorf("kill %d: the recording that was finished is gone: %v", i, err)
		}
	}
	names(t, first.Dir)
	return all
}

// killOne starts a recorder and kills it.
func killOne(t *testing.T, dir string, before os.FileInfo, when moment, random *rand.Rand) error {
	cmd, _ := dropwatch(t, "record", "-q")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		return err
	}
	most := time.Second
	if when != beforeFile {
		most = 300 * time.Millisecond
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if info, err := os.Stat(filepath.Join(dir, recording.DefaultName)); err == nil && !os.SameFile(before, info) {
				break
			}
		}
	}
	if when == whileEnds {
		_ = cmd.Process.Signal(unix.SIGINT) // it lives until it is waited for
	}
	time.Sleep(time.Duration(random.Int64N(int64(most))))
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // its error is the signal
	return nil
}

// readFile returns an error unless a file is missing or a recording with an event in it,
// and whether that is cut short.
func readFile(path string) (cut bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer file.Close()
	src, err := recording.NewReader(file)
	if err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	defer src.Close()
	for n := 0; ; n++ {
		_, err := src.Next()
		if err == nil {
			continue
		}
		if _, cut := event.AsCut(err); n > 0 && (cut || errors.Is(err, io.EOF)) {
			return cut, nil
		}
		return false, fmt.Errorf("%s, %d events: %w", path, n, err)
	}
}
