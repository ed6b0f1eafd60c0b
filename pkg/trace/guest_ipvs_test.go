// SPDX-License-Identifier: Apache-2.0

//go:build linux && guest

package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/inject"
	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// estimated is how many virtual services there are. QEMU without KVM takes about 40 ms
// for a pass over them: of 20 000, some 8 ms are left when the first packet comes.
const estimated = 120_000

// unhurried is what an estimation takes longer than. Much else takes 5 ms in a guest
// without KVM, and is not of interest.
const unhurried = 15 * time.Millisecond

// TestIPVS has packets come while the rates of IPVS services are estimated: every two
// seconds a timer walks them all, up to 6.1 in the softirq TIMER. 705dd3444081 (6.2) made
// it a thread.
func TestIPVS(t *testing.T) {
	labtest.NeedRoot(t)
	bench, err := inject.Open(inject.BHOff) // for its traffic
	labtest.Need(t, err)
	defer bench.Close()
	estimate(t, estimated)
	source, err := openStallSource(StallConfig{Threshold: unhurried}, "", roomyLadders(false))
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	if err := bench.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(9 * time.Second) // four passes, or five
	packets, err := bench.Stop()
	if err != nil {
		t.Fatal(err)
	}
	if err := source.Stop(); err != nil {
		t.Fatal(err)
	}
	rebase(packets, source.Meta().StartMono)
	passes := 0
	for _, s := range stallsOf(t, source) {
		t.Log(s.Sentence())
		c := s.Culprit
		if c == nil || c.Function == nil || c.Function.Name() != "estimation_timer" {
			continue
		}
		// A wait that only the end of a pass caused has too few ticks in it to be sure.
		sure := s.Confidence == stall.High || s.Expected < 3 && s.Confidence == stall.Medium
		if s.Verdict != stall.OtherSoftirq || c.Softirq != "TIMER" || s.HintTopic != stall.TopicIPVS || !sure {
			t.Errorf("verdict %s of softirq %s, confidence %s, topic %q", s.Verdict, c.Softirq, s.Confidence, s.HintTopic)
		}
		if err := compareDelay(s, packets); err != nil {
			t.Logf("spoiled: %v", err) // by how QEMU shares its time between CPUs
			continue
		}
		passes++
	}
	if passes == 0 {
		t.Error("estimation_timer is blamed for no stall with the right times")
	}
}

// compareDelay returns an error unless a stall took as long as the packet that waited
// longest, by the clock of who sent it and got it.
func compareDelay(s *stall.Stall, packets []inject.Packet) error {
	var longest time.Duration
	slack := max(time.Millisecond, s.Duration()/20)
	for _, p := range packets {
		if p.Returned >= s.Start-slack && p.Sent <= s.End {
			longest = max(longest, p.Delay())
		}
	}
	if (longest - s.Duration()).Abs() > slack {
		return fmt.Errorf("a stall of %v, in which a packet took %v at most", s.Duration(), longest)
	}
	return nil
}

// estimate makes virtual services in a namespace of their own, until the test is over.
func estimate(t *testing.T, services int) {
	t.Helper()
	type result struct {
		fd  int
		err error
	}
	made := make(chan result)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with this function
		fd, err := addServices(services)
		made <- result{fd, err}
	}()
	r := <-made
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(func() { unix.Close(r.fd) })
}

// addServices returns a socket that holds the namespace of the services. Its timer stays
// on the CPU on which the namespace is made: that of the packets.
func addServices(n int) (fd int, err error) {
	var only unix.CPUSet
	only.Set(1)
	if err := unix.SchedSetaffinity(0, &only); err != nil {
		return -1, fmt.Errorf("pin thread to CPU 1: %w", err)
	}
	ns, err := netns.New()
	if err != nil {
		return -1, fmt.Errorf("create network namespace: %w", err)
	}
	defer ns.Close()
	if fd, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW); err != nil {
		return -1, fmt.Errorf("open socket: %w", err)
	}
	for i := range n {
		s := service{Protocol: unix.IPPROTO_TCP, Port: [2]byte{0, 80}}
		copy(s.Scheduler[:], "rr")
		binary.BigEndian.PutUint32(s.Addr[:], 10<<24+uint32(i))
		request, err := binary.Append(nil, binary.NativeEndian, s)
		if err == nil {
			err = unix.SetsockoptString(fd, unix.SOL_IP, addService, string(request))
		}
		if err != nil {
			return -1, errors.Join(fmt.Errorf("add virtual service %d: %w", i, err), unix.Close(fd))
		}
	}
	return fd, nil
}

// addService is IP_VS_SO_SET_ADD, include/uapi/linux/ip_vs.h.
const addService = 64 + 1024 + 64 + 2

// service is struct ip_vs_service_user, include/uapi/linux/ip_vs.h.
type service struct {
	Protocol  uint16
	_         [2]byte
	Addr      [4]byte
	Port      [2]byte // big endian
	_         [2]byte
	Mark      uint32
	Scheduler [16]byte
	Flags     uint32
	Timeout   uint32
	Netmask   [4]byte
}
