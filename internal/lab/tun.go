// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const tunDevice = "lab-tun"

// tunFull sends to a tun device with room for one packet that nobody reads.
func tunFull(s *Scene) error {
	s.expect.Reasons = []string{"FULL_RING"}
	s.expect.Frames = frames("tun_net_xmit")
	addr := netip.AddrFrom4([4]byte{198, 18, 1, 1})
	src, dst := netip.AddrPortFrom(addr, srcPort), netip.AddrPortFrom(addr.Next(), dstPort)
	s.looksLike(unix.IPPROTO_UDP, src, dst)
	link, err := s.newTun()
	if err != nil {
		return err
	}
	if err := s.net.Tx.configureTun(link, addr); err != nil {
		return err
	}
	s.expect.Netns, s.expect.Device, s.expect.Ifindex = s.net.Tx.Netns, tunDevice, link.Attrs().Index
	s.tally = deviceTally(s.net.Tx.nl, tunDevice, "tx_dropped")
	fire, err := s.datagrams(src, dst, nil)
	if err != nil {
		return err
	}
	s.until(fire)
	return nil
}

// newTun makes a tun device of Tx that goes with the scene.
func (s *Scene) newTun() (netlink.Link, error) {
	fd, link, err := s.net.Tx.openTun(false)
	if err == nil {
		s.onClose(func() error { return closeTun(fd) })
	}
	return link, err
}

// openTun makes a tun device that lives as long as the file it returns, or, if it is to
// stay, longer.
func (h *Host) openTun(stay bool) (fd int, link netlink.Link, err error) {
	err = h.Do(func() error {
		// The device will be in the namespace that the file is opened in.
		fd, err = unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
		if err != nil {
			return fmt.Errorf("open /dev/net/tun: %w", lacking(err, unix.ENOENT, unix.ENODEV, unix.ENXIO))
		}
		return nameTun(fd, stay)
	})
	if err != nil {
		return -1, nil, err
	}
	if link, err = h.nl.LinkByName(tunDevice); err != nil {
		return -1, nil, errors.Join(fmt.Errorf("find %s: %w", tunDevice, err), unix.Close(fd))
	}
	return fd, link, nil
}

func nameTun(fd int, stay bool) error {
	request, err := unix.NewIfreq(tunDevice)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err == nil && stay {
		err = unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("create %s: %w", tunDevice, err), unix.Close(fd))
	}
	return nil
}

// closeTun reads what the device still holds, so that it is not dropped.
func closeTun(fd int) error {
	buf := make([]byte, 2048)
	for {
		if n, err := unix.Read(fd, buf); n <= 0 && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err := unix.Close(fd); err != nil {
		return fmt.Errorf("close tun device: %w", err)
	}
	return nil
}

// configureTun gives the device an address and no queue but its ring.
func (h *Host) configureTun(link netlink.Link, addr netip.Addr) error {
	if h.HasIPv6() {
		if err := h.Sysctl("ipv6/conf/"+tunDevice+"/disable_ipv6", "1"); err != nil {
			return err
		}
	}
	if err := h.nl.LinkSetTxQLen(link, 1); err != nil {
		return fmt.Errorf("shrink ring of %s: %w", tunDevice, err)
	}
	noqueue := &netlink.GenericQdisc{QdiscType: "noqueue", QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_ROOT,
	}}
	if err := h.nl.QdiscReplace(noqueue); err != nil {
		return fmt.Errorf("remove queue of %s: %w", tunDevice, err)
	}
	if err := h.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", tunDevice, err)
	}
	return addAddr(h.nl, link, addr, 24, 0)
}
