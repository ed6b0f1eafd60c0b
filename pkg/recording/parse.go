// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"fmt"
	"net/netip"

	// Three times as fast as encoding/json, and without allocating.
	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// durations are numbers of nanoseconds, as encoding/json writes them.
var durations = jsonv1.FormatDurationAsNano(true)

// unmarshal reads a line.
func unmarshal(text []byte, line any) error { return json.Unmarshal(text, line, durations) }

func (r *Reader) parseDrop(text []byte) (event.Event, error) {
	r.text = dropLine{Packet: r.text.Packet[:0]}
	line := &r.text
	if err := unmarshal(text, line); err != nil {
		return nil, err
	}
	if err := checkNames(maxWord, line.Comm); err != nil {
		return nil, err
	}
	cell, err := look(r.cells, "cell", line.Cell)
	if err != nil {
		return nil, err
	}
	d := &r.drop
	*d = event.Drop{
		Time: line.Time, CPU: line.CPU, Drops: line.Drops, Overflow: line.Overflow,
		Cell: cell, Segments: line.Segments, Len: line.Len, Context: line.Context, Bytes: line.Packet,
		Task: event.Task{PID: line.PID, TGID: line.TGID, Comm: event.Printable(line.Comm), Cgroup: line.Cgroup},
	}
	if line.Stack != nil {
		if d.Stack, err = look(r.stacks, "stack", *line.Stack); err != nil {
			return nil, err
		}
	}
	if d.Drops == 0 || d.Drops > maxSum-r.sampled {
		return nil, fmt.Errorf("a sample stands for %d drops, those before for %d", d.Drops, r.sampled)
	}
	r.sampled += d.Drops
	r.at = max(r.at, d.Time)
	return d, line.packet(&d.Packet)
}

func (line *packetFields) packet(p *event.Packet) (err error) {
	if line.VLAN != nil {
		p.HasVLAN, p.VLAN = true, *line.VLAN
	}
	p.Ethertype = line.Ethertype
	if line.Inner != nil {
		p.HasInner, p.Inner = true, *line.Inner
	}
	if line.Version == 0 {
		return nil
	}
	p.Version, p.Protocol, p.TTL, p.Fragment = line.Version, line.Protocol, line.TTL, line.Fragment
	if p.Src, err = parseAddr(line.Src); err != nil {
		return err
	}
	if p.Dst, err = parseAddr(line.Dst); err != nil {
		return err
	}
	p.SrcPort, p.DstPort, p.TCPFlags = line.SrcPort, line.DstPort, line.TCPFlags
	if line.ICMPType != nil {
		p.HasICMP, p.ICMPType, p.ICMPCode = true, *line.ICMPType, line.ICMPCode
	}
	if line.EchoID != nil {
		p.EchoID, p.EchoSeq = *line.EchoID, line.EchoSeq
	}
	return nil
}

// parseAddr refuses zones: a packet has none, and they may hold anything.
func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err == nil && addr.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("address %q has a zone", text)
	}
	return addr, err
}

func (r *Reader) parseTick(text []byte) (event.Event, error) {
	var line tickLine
	if err := unmarshal(text, &line); err != nil {
		return nil, err
	}
	r.tick = event.Tick{
		Time: line.Time, Counts: r.tick.Counts[:0], Totals: line.Totals, Loss: line.Loss,
		Gone: r.tick.Gone[:0],
	}
	for _, c := range line.Counts {
		cell, err := look(r.cells, "cell", int(min(c[0], maxTable)))
		if err != nil {
			return nil, err
		}
		count := event.Count{Cell: cell, Drops: c[1], Bytes: c[2], Segments: c[3]}
		if err := r.counted.add(count); err != nil {
			return nil, err
		}
		r.tick.Counts = append(r.tick.Counts, count)
	}
	if err := r.counted.check(line.Totals); err != nil {
		return nil, err
	}
	for _, id := range line.Gone {
		cell, err := look(r.cells, "cell", id)
		if err != nil {
			return nil, err
		}
		r.tick.Gone = append(r.tick.Gone, cell)
		r.gone[id] = struct{}{}
	}
	r.at = max(r.at, r.tick.Time)
	return &r.tick, nil
}

func (r *Reader) parseEnd(text []byte) (event.Event, error) {
	var line endLine
	if err := unmarshal(text, &line); err != nil {
		return nil, err
	}
	if err := r.counted.check(line.Totals); err != nil {
		return nil, err
	}
	r.ended = true
	r.at = max(r.at, line.Time)
	r.end = event.End{Time: line.Time, Totals: line.Totals, Loss: line.Loss, Stalls: line.Stalls}
	return &r.end, nil
}
