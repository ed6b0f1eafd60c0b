// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Info is what is known of a reason.
type Info struct {
	// Name is the kernel's name without SKB_DROP_REASON_.
	Name string
	// Layer dropped the packet.
	Layer Layer
	// Class is what the reason mostly stands for; a single drop may differ.
	Class Class
	// Meaning says in one or two sentences, at most 160 bytes, what happened.
	Meaning string
	// Check says where to look next, at most 240 bytes: commands and files, each
	// with a colon and what to look at, parted by semicolons; DEV, DST, PEER, PID
	// and N stand for what the drops tell. Empty for benign reasons.
	Check string
	// Change says in one or two sentences, at most 240 bytes, what to change, with
	// the command or setting. Every reason of class loss or policy has it; a peer's
	// error where there is something to change.
	Change string
	// Counters are what the kernel counts such a drop in, nil if in nothing,
	// or in nothing that is certain. Each is spelled in one of two ways:
	//   - as nstat prints it: UdpRcvbufErrors, TcpExtListenDrops, Ip6InDiscards;
	//   - as a command or a file below /proc/net, a colon and the field there:
	//     "ip -s link: RX dropped", "ss -m: d", "/proc/net/xfrm_stat: XfrmInNoPols".
	//     A note in parentheses may follow: the column, or where that is so.
	// A reason that several places give has the counters of each, so one drop
	// moves those of its own protocol and device; IpOutDiscards and
	// UdpSndbufErrors are moved by datagrams that this host itself sends. Other
	// events may move them too, and some move once for many packets (OfoPruned,
	// res_failed).
	//
	// They were read at the drop sites of 7.2; older kernels lack some of them.
	// The slice is shared and must not be changed.
	Counters []string
	// Sysctls are the settings that such a drop depends on, as sysctl spells
	// them, an asterisk in place of an interface: net.ipv4.conf.*.rp_filter.
	// Parameters of qdiscs, devices and sockets are none. Nil if there is none.
	// The slice is shared and must not be changed.
	Sysctls []string
}

// Catalogued reports whether anything is known of the reason.
func (i Info) Catalogued() bool { return i.Meaning != "" }

// All returns what is known of every reason of every kernel known here, other
// spellings included, by layer and then by name.
func All() []Info {
	order := make(map[Layer]int)
	for i, layer := range Layers() {
		order[layer] = i
	}
	return slices.SortedFunc(maps.Values(catalogue()), func(a, b Info) int {
		return cmp.Or(cmp.Compare(order[a.Layer], order[b.Layer]), cmp.Compare(a.Name, b.Name))
	})
}

// Lookup returns what is known of the reason of that name, or of the counter of packets
// that no reason was given for. A name that no kernel known here has yields
// LayerUnknown, ClassUnknown and no meaning.
func Lookup(name string) Info {
	if info, ok := catalogue()[name]; ok {
		return info
	}
	for _, info := range counterLosses {
		if info.Name == name {
			return info
		}
	}
	return Info{Name: name, Layer: LayerUnknown, Class: ClassUnknown}
}

// catalogue indexes the tables by name, other spellings included.
var catalogue = sync.OnceValue(func() map[string]Info {
	byName := make(map[string]Info)
	for _, table := range tables() {
		for _, info := range table {
			byName[info.Name] = info
		}
	}
	for _, s := range spellings {
		info := byName[s.same]
		info.Name = s.name
		byName[s.name] = info
	}
	return byName
})

// tables returns the parts of the catalogue.
func tables() [][]Info {
	return [][]Info{
		deviceReasons, queueReasons, switchReasons, ipReasons, neighbourReasons,
		tcpReasons, tcpAuthReasons, socketReasons,
		wirelessReasons, wirelessKeyReasons, wirelessMeshReasons,
	}
}
