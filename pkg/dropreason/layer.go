// SPDX-License-Identifier: Apache-2.0

package dropreason

// Layer is the part of the network stack that dropped a packet.
type Layer string

// The layers, roughly from the wire to the application.
const (
	// LayerDriver is a device's driver, virtual ones (tun, macvlan) included.
	LayerDriver Layer = "driver"
	// LayerWireless is mac80211.
	LayerWireless Layer = "wireless"
	// LayerCAN is the controller area network.
	LayerCAN Layer = "can"
	// LayerBPF is a BPF program attached outside tc, or a socket filter.
	LayerBPF Layer = "bpf"
	// LayerDevice is device-independent receiving and sending before and
	// after the protocols: the CPU backlog, protocol dispatch, devices' state.
	LayerDevice Layer = "device"
	// LayerTC is tc's ingress and egress hooks and its classifiers.
	LayerTC Layer = "tc"
	// LayerQdisc is the queues in front of a device.
	LayerQdisc Layer = "qdisc"
	// LayerBridge is the Linux bridge and Open vSwitch.
	LayerBridge Layer = "bridge"
	// LayerNetfilter is nftables, iptables, conntrack and queues to user space.
	LayerNetfilter Layer = "netfilter"
	// LayerIP is IPv4 and IPv6, routing, fragments and ICMP.
	LayerIP Layer = "ip"
	// LayerNeighbour is ARP and neighbour discovery.
	LayerNeighbour Layer = "neighbour"
	// LayerTunnel is VXLAN and other encapsulation.
	LayerTunnel Layer = "tunnel"
	// LayerSecurity is IPsec (xfrm), PSP and security modules.
	LayerSecurity Layer = "security"
	// LayerTCP is TCP.
	LayerTCP Layer = "tcp"
	// LayerUDP is UDP.
	LayerUDP Layer = "udp"
	// LayerSocket is the sockets' queues of any protocol, AF_UNIX included.
	LayerSocket Layer = "socket"
	// LayerCore is what every layer shares: buffers, their memory and their
	// queues. The stack tells where.
	LayerCore Layer = "core"
	// LayerUnknown is a layer the reason does not tell.
	LayerUnknown Layer = "unknown"
)

// Layers returns all layers, in that order.
func Layers() []Layer {
	return []Layer{
		LayerDriver, LayerWireless, LayerCAN, LayerBPF, LayerDevice, LayerTC, LayerQdisc, LayerBridge,
		LayerNetfilter, LayerIP, LayerNeighbour, LayerTunnel, LayerSecurity, LayerTCP, LayerUDP,
		LayerSocket, LayerCore, LayerUnknown,
	}
}

// Class says how bad a drop is.
type Class string

// The classes.
const (
	// ClassLoss is traffic this node should have carried: a queue or memory
	// ran out, something was not ready, a part never came.
	ClassLoss Class = "loss"
	// ClassPolicy is a drop that somebody configured.
	ClassPolicy Class = "policy"
	// ClassPeerError is a packet, or a sender, that was wrong.
	ClassPeerError Class = "peer error"
	// ClassBenign is normal life of protocols: nobody misses the packet.
	ClassBenign Class = "benign"
	// ClassPart is no packet but a part of one, which is freed with it or joined to it. The
	// packet, if it was lost, is a drop of its own.
	ClassPart Class = "part"
	// ClassUnknown is a drop the reason does not explain.
	ClassUnknown Class = "unknown"
)

// Classes returns the classes that reasons have, the worst first: all but ClassPart, which
// locations have.
func Classes() []Class {
	return []Class{ClassLoss, ClassPolicy, ClassPeerError, ClassBenign, ClassUnknown}
}

// Meaning says in a few words what a class stands for.
func (c Class) Meaning() string {
	switch c {
	case ClassLoss:
		return "traffic this node should have carried"
	case ClassPolicy:
		return "somebody configured it so"
	case ClassPeerError:
		return "the packet, or its sender, was wrong"
	case ClassBenign:
		return "normal life of protocols; nobody misses the packet"
	case ClassPart:
		return "no packet but a part of one, freed with it or joined to it"
	}
	return "the reason does not tell"
}
