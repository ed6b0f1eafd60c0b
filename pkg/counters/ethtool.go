// SPDX-License-Identifier: Apache-2.0

//go:build linux

package counters

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// driverSocket reads drivers' statistics by ioctl, because netlink does not have those that a
// driver names itself. Any socket of the namespace serves, also an rtnetlink socket:
// netlink_ioctl (net/netlink/af_netlink.c) passes on ioctls that it does not know.
type driverSocket struct{ fd int }

// From uapi/linux/ethtool.h.
const (
	ethtoolNameLen  = 32 // ETH_GSTRING_LEN
	ethtoolStatsSet = 1  // ETH_SS_STATS
)

// maxDriverStats is the largest number of statistics of a driver. The largest seen is 20 000.
const maxDriverStats = 1 << 15

// ethtoolBuffers are large enough for maxDriverStats. Kernels before 6.19 write all statistics,
// whatever length the request has (net/ethtool/ioctl.c), and their number may change at any
// time. Pages that are never written use no memory.
type ethtoolBuffers struct {
	strings struct { // struct ethtool_gstrings
		cmd, set, len uint32
		data          [maxDriverStats][ethtoolNameLen]byte
	}
	stats struct { // struct ethtool_stats
		cmd, len uint32
		data     [maxDriverStats]uint64
	}
}

// ethtoolRequest is a struct ifreq with ifr_data.
type ethtoolRequest struct {
	device [unix.IFNAMSIZ]byte
	data   unsafe.Pointer
	_      [16]byte
}

func (s driverSocket) ioctl(device string, data unsafe.Pointer) error {
	request := ethtoolRequest{data: data}
	copy(request.device[:unix.IFNAMSIZ-1], device)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s.fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		return errno
	}
	return nil
}

// names returns the names of all statistics of a device. It returns nil and no error for a
// driver without statistics.
func (s driverSocket) names(device string, buffers *ethtoolBuffers) ([]string, error) {
	info, err := unix.IoctlGetEthtoolDrvinfo(s.fd, device)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("ask driver of %s: %w", event.Text([]byte(device)), err)
	}
	if info.N_stats == 0 {
		return nil, nil
	}
	if info.N_stats > maxDriverStats {
		return nil, fmt.Errorf("ask driver of %s: %d statistics exceed the limit of %d", event.Text([]byte(device)), info.N_stats, maxDriverStats)
	}
	list := &buffers.strings
	list.cmd, list.set, list.len = unix.ETHTOOL_GSTRINGS, ethtoolStatsSet, info.N_stats
	if err := s.ioctl(device, unsafe.Pointer(list)); err != nil {
		return nil, fmt.Errorf("name statistics of %s: %w", event.Text([]byte(device)), err)
	}
	names := make([]string, min(list.len, maxDriverStats))
	for i := range names {
		names[i] = event.Text(list.data[i][:])
	}
	return names, nil
}

// errRecounted says that the number of a driver's statistics changed.
var errRecounted = errors.New("statistics changed")

// values reads the statistics of a device, one for each name. It returns errRecounted if the
// driver has another number of them. The values are valid until the next call.
func (s driverSocket) values(device string, names int, buffers *ethtoolBuffers) ([]uint64, error) {
	list := &buffers.stats
	list.cmd, list.len = unix.ETHTOOL_GSTATS, uint32(names)
	if err := s.ioctl(device, unsafe.Pointer(list)); err != nil {
		return nil, fmt.Errorf("read statistics of %s: %w", event.Text([]byte(device)), err)
	}
	if list.len != uint32(names) { // kernels from 6.19 on write no values then
		return nil, fmt.Errorf("read statistics of %s: %w", event.Text([]byte(device)), errRecounted)
	}
	return list.data[:names], nil
}
