// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strconv"
	"strings"
)

// Cell is what drops are counted by, exactly. Equal cells are the same pointer
// within a Source.
type Cell struct {
	ID        int // from 0, dense
	Reason    Reason
	Location  *Frame // the code that freed the packet
	Device    Device
	Netns     Netns
	Ethertype uint16
	Protocol  uint8 // IP protocol number, 0 if none or unknown
	Family    uint8 // address family of the socket, if Ethertype is 0
	Overflow  bool  // stands for all cells that found no room
	Unseen    bool  // stands for packets that only a counter tells of, see pkg/ledger
}

// DeviceID returns what tells the cell's device from others, zero if it has none.
func (c *Cell) DeviceID() DeviceID { return NewDeviceID(c.Netns, c.Device.Index, c.Device.Name) }

// Reason is why a packet was dropped.
type Reason struct {
	Code uint32 // the kernel's skb_drop_reason
	// Name is the kernel's, without SKB_DROP_REASON_, or the number if it has none.
	Name string
	// Inferred: the kernel stated no reason, the location told Name.
	Inferred bool
	// Vague: what the reason stands for at its location (dropreason.At) holds for some
	// kernels or packets, and not for this one.
	Vague bool
}

// inferredMark goes before the names of reasons that were inferred.
const inferredMark = "~"

// String returns the name, of an inferred reason with a mark: ~CPU_BACKLOG.
func (r Reason) String() string {
	if r.Inferred {
		return inferredMark + r.Name
	}
	return r.Name
}

// ParseReason takes apart what Reason.String made, whose Code is not known.
func ParseReason(text string) Reason {
	name, inferred := strings.CutPrefix(text, inferredMark)
	return Reason{Name: name, Inferred: inferred}
}

// Place is the function whose meaning of the reason holds (dropreason.At), empty if none
// does.
func (c *Cell) Place() string {
	if c.Reason.Vague || c.Location == nil {
		return ""
	}
	return c.Location.Symbol
}

// Device is a network device as its namespace knows it.
type Device struct {
	Index int
	Name  string // empty if only the index is known
}

// String returns the name, "if7" if there is none, and "-" without a device.
func (d Device) String() string {
	switch {
	case d.Name != "":
		return d.Name
	case d.Index != 0:
		return "if" + strconv.Itoa(d.Index)
	}
	return "-"
}

// Netns is a network namespace.
type Netns struct {
	Inode uint32 // of its nsfs file; 0 if unknown
	Name  string // "host", a name under /run/netns, or empty
}

// String returns the name, the inode number if there is none, and "-" if unknown.
func (n Netns) String() string {
	switch {
	case n.Name != "":
		return n.Name
	case n.Inode != 0:
		return strconv.FormatUint(uint64(n.Inode), 10)
	}
	return "-"
}

// Frame is a code address and what it is called.
type Frame struct {
	ID     int // from 0, dense
	Addr   Address
	Symbol string // empty if unknown
	Offset uint64 // of Addr from the symbol's start
	Module string // "vmlinux", a module's name, "bpf", or empty
}

// Name returns the symbol, the address in hexadecimal if it has none, and "-"
// without an address.
func (f *Frame) Name() string {
	switch {
	case f.Symbol != "":
		return f.Symbol
	case f.Addr == 0:
		return "-"
	}
	return "0x" + strconv.FormatUint(uint64(f.Addr), 16)
}

// String returns symbol+0xoffset, or what Name does if it lacks either or is no more than
// a kind of code, such as [bpf].
func (f *Frame) String() string {
	if f.Symbol == "" || f.Addr == 0 || f.Symbol[0] == '[' {
		return f.Name()
	}
	return f.Symbol + "+0x" + strconv.FormatUint(f.Offset, 16)
}

// Stack is a kernel stack from the drop site outwards, innermost frame first.
// Equal stacks are the same pointer within a Source.
type Stack struct {
	ID     int // from 0, dense
	Frames []*Frame
	Cut    bool // there may have been more frames than the kernel unwinds
}
