// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/dropwatch/dropwatch/pkg/dropreason"
	"github.com/dropwatch/dropwatch/pkg/event"
)

// Unsampled stands for what only a sample tells, of drops without one.
const Unsampled = "[not sampled]"

// NoPacket does for what only counters tell of.
const NoPacket = "[no packet]"

// The names of dimensions that something depends on.
const (
	reasonName   = "reason"
	locationName = "location"
	contextName  = "context"
)

// Dimension is something to group by.
type Dimension struct {
	Name   string
	ByCell bool // exact: known of every drop, not of sampled ones alone

	ofCell func(*event.Cell) string
	ofDrop func(*event.Drop) string
}

// Value returns what to group a drop under. d is nil for drops without a sample.
func (m Dimension) Value(c *event.Cell, d *event.Drop) string {
	switch {
	case c.Overflow:
		return "[overflow]"
	case m.ByCell:
		return m.ofCell(c)
	case c.Unseen:
		return NoPacket
	case d == nil:
		return Unsampled
	}
	return m.ofDrop(d)
}

// acrossKernels returns the dimension; that of locations without the offsets in their
// functions, which do not compare between kernels, and that of reasons without a mark,
// as one kernel may state what was inferred on another.
func (m Dimension) acrossKernels() Dimension {
	switch m.Name {
	case locationName:
		m.ofCell = func(c *event.Cell) string { return c.Location.Name() }
	case reasonName:
		m.ofCell = func(c *event.Cell) string { return c.Reason.Name }
	}
	return m
}

// Dimensions returns what can be grouped by, in the order of the documentation.
func Dimensions() []Dimension {
	cell := func(name string, of func(*event.Cell) string) Dimension {
		return Dimension{Name: name, ByCell: true, ofCell: of}
	}
	drop := func(name string, of func(*event.Drop) string) Dimension {
		return Dimension{Name: name, ofDrop: of}
	}
	return []Dimension{
		cell(reasonName, func(c *event.Cell) string { return c.Reason.String() }),
		cell(locationName, func(c *event.Cell) string { return c.Location.String() }),
		cell("layer", func(c *event.Cell) string { return string(dropreason.Of(c).Layer) }),
		cell("class", func(c *event.Cell) string { return string(dropreason.Of(c).Class) }),
		cell("device", func(c *event.Cell) string { return c.Device.String() }),
		cell("netns", func(c *event.Cell) string { return c.Netns.String() }),
		cell("proto", (*event.Cell).Proto),
		drop("comm", func(d *event.Drop) string { return d.Task.Comm }),
		drop("pid", func(d *event.Drop) string { return strconv.FormatUint(uint64(d.Task.TGID), 10) }),
		drop("cpu", func(d *event.Drop) string { return strconv.Itoa(d.CPU) }),
		drop(contextName, func(d *event.Drop) string { return d.Context.String() }),
		drop("flow", func(d *event.Drop) string { return Flow(&d.Packet) }),
		drop("dst", func(d *event.Drop) string { return endpoint(d.Packet.Dst, d.Packet.DstPort) }),
		drop("stack", func(d *event.Drop) string { return strings.Join(stackNames(d), ";") }),
	}
}

// IsPart reports whether a cell counts parts of packets, which are no drops.
func IsPart(c *event.Cell) bool { return dropreason.Of(c).Class == dropreason.ClassPart }

// ParseDimensions reads a list such as "reason,device".
func ParseDimensions(list string) ([]Dimension, error) {
	all := Dimensions()
	var names []string
	for _, m := range all {
		names = append(names, m.Name)
	}
	var picked []Dimension
	for name := range strings.SplitSeq(list, ",") {
		i := slices.Index(names, strings.TrimSpace(name))
		if i < 0 {
			return nil, fmt.Errorf("cannot group by %q: choose from %s", name, strings.Join(names, ", "))
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}

// Flow spells a packet's 5-tuple, "UDP 10.0.0.1:4000 > 10.0.0.2:53", or "-".
func Flow(p *event.Packet) string {
	if p.Version == 0 {
		return "-"
	}
	flow := event.ProtocolName(p.Protocol) + " " + endpoint(p.Src, p.SrcPort) + " > " + endpoint(p.Dst, p.DstPort)
	if p.IsEcho() {
		flow += " id " + strconv.Itoa(int(p.EchoID))
	}
	return flow
}

func endpoint(addr netip.Addr, port uint16) string {
	switch {
	case !addr.IsValid():
		return "-"
	case port == 0:
		return addr.String()
	}
	return netip.AddrPortFrom(addr, port).String()
}
