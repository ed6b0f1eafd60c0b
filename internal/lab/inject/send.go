// SPDX-License-Identifier: Apache-2.0

//go:build linux

package inject

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A sender sends numbered packets from connected sockets.
type sender struct {
	udp      int           // socket that sends datagrams
	echo     int           // socket that sends each fifth packet, as an echo request; negative: none
	first    int           // number of the first packet
	interval time.Duration // between packets; what a delayed sender misses is not made up for
	message  message

	log  *sendLog // shared
	sent []span   // shared; as many as are to be sent at most
}

// A sendLog is what a sender and its parent tell each other.
type sendLog struct {
	stop bool // set by the parent
	sent int  // packets
}

// A span is the time between two readings of CLOCK_MONOTONIC.
type span struct {
	start, end time.Duration
}

// echoEvery is how many packets one is an echo request of.
const echoEvery = 5

//go:nosplit
//go:norace
func (s *sender) do() unix.Errno {
	next := clock()
	for i := 0; i < len(s.sent) && !s.log.stop; i++ {
		if s.interval > 0 {
			sleepUntil(next)
		}
		number := s.first + i
		fd, from := s.udp, headerLen
		s.message.number(number)
		if s.echo >= 0 && isEcho(number) {
			fd, from = s.echo, 0
		}
		at := &s.sent[i]
		at.start = clock()
		_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd),
			uintptr(unsafe.Pointer(&s.message))+uintptr(from), uintptr(len(s.message)-from), 0, 0, 0)
		at.end = clock()
		if errno != 0 && errno != unix.ENOBUFS { // which says that a full queue refused it: it is lost
			return errno
		}
		s.log.sent = i + 1
		next = max(next+s.interval, at.end)
	}
	return 0
}

// isEcho says which packets are echo requests.
//
//go:nosplit
//go:norace
func isEcho(number int) bool {
	return number%echoEvery == echoEvery-1
}

// clock is the time by CLOCK_MONOTONIC.
//
//go:nosplit
//go:norace
func clock() time.Duration {
	var ts unix.Timespec
	unix.RawSyscall6(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ts)), 0, 0, 0, 0)
	return time.Duration(ts.Sec)*time.Second + time.Duration(ts.Nsec)
}

// sleepUntil sleeps until a time by CLOCK_MONOTONIC.
//
//go:nosplit
//go:norace
func sleepUntil(t time.Duration) {
	ts := unix.Timespec{Sec: int64(t / time.Second), Nsec: int64(t % time.Second)}
	unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
}
