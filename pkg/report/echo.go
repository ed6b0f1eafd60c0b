// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtt"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// Echo is an ICMP echo request with what is known of it from elsewhere.
type Echo struct {
	event.Echo
	RTT     time.Duration // of its reply, if HasRTT
	HasRTT  bool
	Verdict stall.Verdict // of the stall that held it up, empty for none
	Because string        // what the stall's culprit was, empty for none
}

// Delay returns how long the request waited until the kernel was about to answer it,
// and whether that is known.
func (e *Echo) Delay() (time.Duration, bool) { return e.Time - e.Queued, e.Queued != 0 }

const echoHeading = "%-15s %4s %7s %7s %-16s %8s %10s %-9s"

// AppendEchoHeading appends the heading of a table of echo requests.
func AppendEchoHeading(b []byte, withRTT bool) []byte {
	b = fmt.Appendf(b, echoHeading, "TIME", "CPU", "TGID", "PID", "COMM", "ICMP_SEQ", "DELAY", "CONTEXT")
	if withRTT {
		b = fmt.Appendf(b, " %10s", "RTT")
	}
	return append(b, "  STALL\n"...)
}

// AppendEcho appends an echo request as a line of that table. The task is the one
// that was interrupted.
func AppendEcho(b []byte, meta *event.Meta, e *Echo, withRTT bool) []byte {
	delay := "-"
	if d, known := e.Delay(); known {
		delay = spanText(d)
	}
	b = fmt.Appendf(b, echoHeading, meta.Start.Add(e.Time).Format("15:04:05.000000"), fmt.Sprint(e.CPU),
		fmt.Sprint(e.Task.TGID), fmt.Sprint(e.Task.PID), e.Task.Comm, fmt.Sprint(e.Packet.EchoSeq), delay, e.Context)
	if withRTT {
		rtt := "-"
		if e.HasRTT {
			rtt = spanText(e.RTT)
		}
		b = fmt.Appendf(b, " %10s", rtt)
	}
	if e.Verdict != "" {
		b = fmt.Appendf(b, "  %s", e.Verdict)
		if e.Because != "" {
			b = fmt.Appendf(b, ": %s", e.Because)
		}
	}
	return append(b, '\n')
}

// AppendDrain appends an instant at which replies came together as a line.
func AppendDrain(b []byte, d *rtt.Drain) []byte {
	b = append(b, "drained"...)
	if !d.Time.IsZero() {
		b = fmt.Appendf(b, " at %s", d.Time.Format("15:04:05.000000"))
	}
	return fmt.Appendf(b, ": %s, icmp_seq %d to %d, round-trip times %s to %s\n",
		spell.Plural(uint64(d.Replies), "reply"), d.First, d.Last, spanText(d.MaxRTT), spanText(d.MinRTT()))
}

type drainJSON struct {
	Type     string        `json:"type"`
	Time     *time.Time    `json:"time,omitempty"`
	Replies  int           `json:"replies"`
	First    uint64        `json:"first_seq"`
	Last     uint64        `json:"last_seq"`
	Interval time.Duration `json:"interval_ns"`
	Max      time.Duration `json:"max_rtt_ns"`
	Min      time.Duration `json:"min_rtt_ns"`
}

// EncodeDrain writes an instant at which replies came together as a line of JSON.
func EncodeDrain(enc *json.Encoder, d *rtt.Drain) error {
	out := drainJSON{"drain", nil, d.Replies, d.First, d.Last, d.Interval, d.MaxRTT, d.MinRTT()}
	if !d.Time.IsZero() {
		out.Time = &d.Time
	}
	return enc.Encode(out)
}

// The names of these fields are promised in docs/json.md.
type echoJSON struct {
	Time    time.Time      `json:"time"`
	CPU     int            `json:"cpu"`
	TGID    uint32         `json:"tgid"`
	PID     uint32         `json:"pid"`
	Comm    string         `json:"comm"`
	Context event.Context  `json:"context"`
	Src     string         `json:"src"`
	Dst     string         `json:"dst"`
	ID      uint16         `json:"id"`
	Seq     uint16         `json:"seq"`
	Delay   *time.Duration `json:"delay_ns"`
	RTT     *time.Duration `json:"rtt_ns"`
	Verdict stall.Verdict  `json:"verdict,omitempty"`
	Because string         `json:"because,omitempty"`
}

// EncodeEcho writes an echo request as a line of JSON.
func EncodeEcho(enc *json.Encoder, meta *event.Meta, e *Echo) error {
	out := echoJSON{
		Time: meta.Start.Add(e.Time), CPU: e.CPU, TGID: e.Task.TGID, PID: e.Task.PID, Comm: e.Task.Comm, Context: e.Context,
		Src: e.Packet.Src.String(), Dst: e.Packet.Dst.String(), ID: e.Packet.EchoID, Seq: e.Packet.EchoSeq,
		Verdict: e.Verdict, Because: e.Because,
	}
	if d, known := e.Delay(); known {
		out.Delay = &d
	}
	if e.HasRTT {
		out.RTT = &e.RTT
	}
	return enc.Encode(out)
}
