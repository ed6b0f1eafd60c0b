// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab"
	"github.com/dropwatch/dropwatch/pkg/node"
)

// pathCures are devices and routes that let packets not pass.
func pathCures() []cure {
	return []cure{
		{"backlog", "", fullBacklog},
		{"budget", "one packet at a time", oneAtATime},
		{"qdisc-drops", "a token bucket filter", tokenBucket},
		{"link-down", "the loopback device", loopbackDown},
		{"link-down", "the other end of a veth", peerDown},
		{"device-dropped", "a tunnel whose reader is too slow", tunnelFull},
		{"rp-filter", "", reversePath},
		{"mtu", "a path of a smaller MTU", pathMTU},
		{"mtu-peer", "", peerMTU},
		{"mtu-tunnel", "", tunnelMTU},
	}
}

// tableCures are tables and memories of the kernel that are full.
func tableCures() []cure {
	return []cure{
		{"conntrack-table", "", fullConntrack},
		{"neighbour-queue", "", fullNeighbourQueue},
		{"fragment-memory", "IPv4", fullFragments(false)},
		{"fragment-memory", "IPv6", fullFragments(true)},
		{"dying-cgroups", "", dyingCgroups},
	}
}

func fullBacklog(t *testing.T) (*lab.Net, ailment) {
	global(t, "core/netdev_max_backlog", "1000")
	scene := newScene(t, "cpu-backlog")
	return scene.Net(), ailment{node: true, lose: sends(t, scene, softnet(t, 1))}
}

// oneAtATime has the kernel stop receiving after each packet. Nothing is lost: the commands
// lower how often that happens.
func oneAtATime(t *testing.T) (*lab.Net, ailment) {
	global(t, "core/netdev_budget", "1")
	network := newNetwork(t)
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	send := burst(t, network.Tx, to, &reader, 80)
	return network, ailment{node: true, lose: func() int { return since(softnet(t, 2), func() { send() }) }}
}

// tokenBucket has a shaper with a queue that is shorter than bursts.
func tokenBucket(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	device := network.Tx.Device
	runIn(t, network.Tx, "tc", "qdisc", "add", "dev", device, "root", "handle", "7:", "tbf", "rate", "8mbit", "burst", "2000", "limit", "3000")
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	return network, ailment{lose: burst(t, network.Tx, to, &reader, 20), want: []string{"tbf 7:"}}
}

// loopbackDown sends to an address of the host itself.
func loopbackDown(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	runIn(t, network.Rx, "ip", "link", "set", "dev", "lo", "down")
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	return network, ailment{lose: burst(t, network.Rx, to, &reader, 40), want: []string{"lo is down"}}
}

func peerDown(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	runIn(t, network.Rx, "ip", "link", "set", "dev", network.Rx.Device, "down")
	send := burst(t, network.Tx, to, &reader, 40)
	neighbour := []string{"ip", "neigh", "replace", network.Rx.Addr4.String(), "lladdr", network.Rx.MAC.String(), "nud", "permanent", "dev", network.Tx.Device}
	return network, ailment{
		lose: func() int {
			runIn(t, network.Tx, neighbour...) // it goes with the carrier
			return send()
		},
		want: []string{"the peer of " + network.Tx.Device, "is down"},
	}
}

// tunnelFull has a program that opened a tunnel and does not read it. The commands record
// what doctor does not tell.
func tunnelFull(t *testing.T) (*lab.Net, ailment) {
	scene := newScene(t, "tun-full")
	return scene.Net(), ailment{looks: true, lose: sends(t, scene, link(t, scene.Net().Tx, scene.Expect().Device, "tx_dropped")), want: []string{"FULL_RING"}}
}

func reversePath(t *testing.T) (*lab.Net, ailment) {
	scene := newScene(t, "ip-reverse-path")
	rx := scene.Net().Rx
	source := scene.Expect().Src.Addr().String()
	return scene.Net(), ailment{
		lose: sends(t, scene, counter(t, rx, "TcpExt", "IPReversePathFilter")),
		// There is no route to the sender, until the first time.
		heed: func() { runIn(t, rx, "ip", "route", "replace", source, "dev", "lo") },
	}
}

// link reads a counter of an interface.
func link(t *testing.T, h *lab.Host, device, name string) func() int {
	return func() int {
		return number(t, strings.TrimSpace(runIn(t, h, "unshare", "--mount", "sh", "-c", "mount -t sysfs sys /sys && cat /sys/class/net/"+device+"/statistics/"+name)))
	}
}

// pathMTU has a connection over a router whose next link takes less, and that does not say
// so. What is lost is what the router counts.
func pathMTU(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	const beyond = "dropwatch-cure"
	runIn(t, network.Rx, "ip", "netns", "add", beyond)
	t.Cleanup(func() { runIn(t, network.Rx, "ip", "netns", "del", beyond) })
	for _, command := range []string{
		"ip link add cure0 mtu 1300 type veth peer name cure1 mtu 1300 netns " + beyond,
		"ip addr add 198.19.0.1/24 dev cure0", "ip link set cure0 up",
		"ip -n " + beyond + " addr add 198.19.0.2/24 dev cure1", "ip -n " + beyond + " link set cure1 up",
		"ip -n " + beyond + " route add default via 198.19.0.1",
		"sysctl -w net.ipv4.ip_forward=1",
		"nft add table ip quiet", "nft 'add chain ip quiet out { type filter hook output priority 0; }'",
		"nft add rule ip quiet out icmp type destination-unreachable drop",
	} {
		runIn(t, network.Rx, "sh", "-c", command)
	}
	runIn(t, network.Tx, "ip", "route", "add", "198.19.0.0/24", "via", network.Rx.Addr4.String())
	to := netip.MustParseAddrPort("198.19.0.2:" + strconv.Itoa(curePort))
	far := hostNamed(t, beyond)
	listener := far(unix.SOCK_STREAM)
	t.Cleanup(func() { unix.Close(listener) })
	// An endpoint that takes more than its link: the router is to be the one that drops.
	runIn(t, network.Rx, "ip", "-n", beyond, "route", "replace", "default", "via", "198.19.0.1", "advmss", "1460")
	if err := unix.Listen(listener, 10); err != nil {
		t.Fatal(err)
	}
	count := counter(t, network.Rx, "Ip", "FragFails")
	return network, ailment{lose: func() int {
		return since(count, func() {
			sender := socket(t, network.Tx, unix.SOCK_STREAM, netip.AddrPort{})
			defer unix.Close(sender)
			// Nothing is sent again once it is closed.
			if err := unix.SetsockoptLinger(sender, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
				t.Fatal(err)
			}
			if !connect(t, sender, to) {
				t.Error("no connection over the router")
			}
			_, _ = unix.Write(sender, make([]byte, 30000)) // what fits
			_, _ = unix.Poll(nil, 50)
			if fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC); err == nil {
				unix.Close(fd)
			}
		})
	}}
}

// hostNamed opens sockets in a namespace that ip-netns made.
func hostNamed(t *testing.T, name string) func(kind int) int {
	return func(kind int) (fd int) {
		failed := make(chan error, 1)
		go func() { // the thread ends with it
			failed <- func() error {
				runtime.LockOSThread()
				file, err := os.Open("/run/netns/" + name)
				if err != nil {
					return err
				}
				defer file.Close()
				if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
					return err
				}
				fd, err = unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
				if err != nil {
					return err
				}
				return unix.Bind(fd, &unix.SockaddrInet4{Port: curePort})
			}()
		}()
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
		return fd
	}
}

func peerMTU(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	runIn(t, network.Tx, "ip", "link", "set", "dev", network.Tx.Device, "mtu", "3000")
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	sender := socket(t, network.Tx, unix.SOCK_DGRAM, netip.AddrPort{})
	t.Cleanup(func() { unix.Close(sender) })
	return network, ailment{lose: func() int {
		const datagrams = 40
		for range datagrams {
			if err := unix.Sendto(sender, make([]byte, 2000), 0, address(to)); err != nil {
				t.Error(err)
			}
		}
		return datagrams - drain(reader)
	}}
}

// tunnelMTU has a VXLAN device that forbids to split what it sends, on a device that has
// become smaller.
func tunnelMTU(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	overlay := []netip.Addr{netip.MustParseAddr("198.19.7.1"), netip.MustParseAddr("198.19.7.2")}
	hosts := []*lab.Host{network.Tx, network.Rx}
	for i, h := range hosts {
		peer := hosts[1-i]
		runIn(t, h, "ip", "link", "add", "vx0", "mtu", "1450", "type", "vxlan", "id", "7", "dstport", "4789", "remote", peer.Addr4.String(), "dev", h.Device, "df", "set")
		runIn(t, h, "ip", "link", "set", "vx0", "address", "02:00:00:00:07:0"+strconv.Itoa(i+1), "up")
		runIn(t, h, "ip", "addr", "add", overlay[i].String()+"/24", "dev", "vx0")
		runIn(t, h, "ip", "neigh", "replace", overlay[1-i].String(), "lladdr", "02:00:00:00:07:0"+strconv.Itoa(2-i), "nud", "permanent", "dev", "vx0")
	}
	for _, h := range hosts {
		runIn(t, h, "ip", "link", "set", "dev", h.Device, "mtu", "1400")
	}
	runIn(t, network.Rx, "ip", "link", "set", "dev", "vx0", "mtu", "1350") // one end is right
	to := netip.AddrPortFrom(overlay[1], curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	send := burst(t, network.Tx, to, &reader, 40)
	return network, ailment{lose: func() int {
		// Forgets the MTU that the sender learned by what it lost before.
		for _, verb := range []string{"del", "add"} {
			runIn(t, network.Tx, "ip", "addr", verb, overlay[0].String()+"/24", "dev", "vx0")
		}
		return send()
	}}
}

// fullConntrack tracks more connections than fit.
func fullConntrack(t *testing.T) (*lab.Net, ailment) {
	network := newNetwork(t)
	for _, command := range []string{
		"nft add table ip f", "nft 'add chain ip f in { type filter hook input priority 0; }'", "nft add rule ip f in ct state new accept",
	} {
		runIn(t, network.Rx, "sh", "-c", command)
	}
	global(t, "netfilter/nf_conntrack_max", "100")
	to := netip.AddrPortFrom(network.Rx.Addr4, curePort)
	reader := socket(t, network.Rx, unix.SOCK_DGRAM, to)
	t.Cleanup(func() { unix.Close(reader) })
	count := statColumns(t, network.Rx, "nf_conntrack", "drop", "early_drop")
	return network, ailment{lose: func() int {
		return since(count, func() {
			for range 150 {
				fd := socket(t, network.Tx, unix.SOCK_DGRAM, netip.AddrPort{})
				if err := unix.Sendto(fd, []byte{1}, 0, address(to)); err != nil {
					t.Error(err)
				}
				unix.Close(fd)
			}
			drain(reader)
		})
	}}
}

func fullNeighbourQueue(t *testing.T) (*lab.Net, ailment) {
	scene := newScene(t, "neighbour-queue-full")
	tx := scene.Net().Tx
	return scene.Net(), ailment{
		node: true, lose: sends(t, scene, statColumns(t, nil, "arp_cache", "unresolved_discards")),
		want: []string{tx.Device},
	}
}

// fullFragments sends the first fragments of packets that never become complete.
func fullFragments(six bool) func(*testing.T) (*lab.Net, ailment) {
	return func(t *testing.T) (*lab.Net, ailment) {
		network := newNetwork(t)
		prefix, count := "ipv4/ipfrag", counter(t, network.Rx, "Ip", "ReasmFails")
		if six {
			prefix, count = "ipv6/ip6frag", counter(t, network.Rx, "Ip6", "ReasmFails")
		}
		for _, end := range []string{"_low_thresh", "_high_thresh"} {
			if err := network.Rx.Sysctl(prefix+end, map[string]string{"_low_thresh": "1", "_high_thresh": "4000"}[end]); err != nil {
				t.Fatal(err)
			}
		}
		var wire int
		if err := network.Tx.Do(func() (err error) {
			wire, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(wire) })
		id := uint32(0)
		return network, ailment{lose: func() int {
			return since(count, func() {
				for range 40 {
					id++
					frame := fragment(network, id, six)
					if err := unix.Sendto(wire, frame, 0, &unix.SockaddrLinklayer{Ifindex: network.Tx.Ifindex, Halen: 6}); err != nil {
						t.Error(err)
					}
				}
			})
		}}
	}
}

// fragment is the first of a packet, in a frame.
func fragment(network *lab.Net, id uint32, six bool) []byte {
	const payload = 1400
	frame := slices.Concat(network.Rx.MAC, network.Tx.MAC)
	if six {
		frame = append(frame, 0x86, 0xdd, 0x60, 0, 0, 0)
		frame = binary.BigEndian.AppendUint16(frame, payload+8)
		frame = append(frame, unix.IPPROTO_FRAGMENT, 64)
		frame = append(append(frame, network.Tx.Addr6.AsSlice()...), network.Rx.Addr6.AsSlice()...)
		frame = append(frame, unix.IPPROTO_UDP, 0, 0, 1) // offset 0, more to come
		frame = binary.BigEndian.AppendUint32(frame, id)
		return append(frame, make([]byte, payload)...)
	}
	header := []byte{0x45, 0}
	header = binary.BigEndian.AppendUint16(header, payload+20)
	header = binary.BigEndian.AppendUint16(header, uint16(id))
	header = append(header, 0x20, 0, 64, unix.IPPROTO_UDP, 0, 0) // more to come
	header = append(append(header, network.Tx.Addr4.AsSlice()...), network.Rx.Addr4.AsSlice()...)
	sum := uint32(0)
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	sum = sum>>16 + sum&0xffff
	binary.BigEndian.PutUint16(header[10:], ^uint16(sum+sum>>16))
	return slices.Concat(frame, []byte{0x08, 0}, header, make([]byte, payload))
}

// dyingCgroups makes a thousand control groups that die while the inode of a file that was
// read there is held. Nothing is lost: the commands lower their number.
func dyingCgroups(t *testing.T) (*lab.Net, ailment) {
	root := "/sys/fs/cgroup/memory"
	if _, err := os.Stat(root); err != nil {
		root = "/sys/fs/cgroup"
	}
	dying := func() int {
		sources, err := node.LiveSources()
		if err != nil {
			t.Fatal(err)
		}
		return node.ReadState(node.Sources{Root: sources.Root}).Cgroups.Dying
	}
	// A program of its own, as it changes its control group.
	script := `i=0; while [ $i -lt 1100 ]; do mkdir $1/dropwatch-dying && echo $$ > $1/dropwatch-dying/cgroup.procs && echo x > $2/$i &&
		echo $$ > $1/cgroup.procs && rmdir $1/dropwatch-dying || exit 1; i=$((i + 1)); done`
	if output, err := exec.Command("sh", "-c", script, "sh", root, t.TempDir()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	unix.Sync()
	return newNetwork(t), ailment{node: true, later: true, lose: dying} // groups are freed by a worker
}
