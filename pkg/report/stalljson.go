// SPDX-License-Identifier: Apache-2.0

package report

import (
	"encoding/json"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// The names of these fields are promised in docs/json.md.
type (
	stallJSON struct {
		Time        time.Time      `json:"time"` // when the wait ended
		CPU         int            `json:"cpu"`
		RanOn       *int           `json:"ran_on,omitempty"`
		Duration    time.Duration  `json:"duration_ns"`
		Bound       bool           `json:"bound,omitempty"`
		Verdict     stall.Verdict  `json:"verdict"`
		Confidence  string         `json:"confidence"`
		Sentence    string         `json:"sentence"`
		Culprit     *culpritJSON   `json:"culprit"`
		Window      []partJSON     `json:"window"`
		Stack       []string       `json:"stack"`
		UserStack   []string       `json:"user_stack"`
		Delayed     []delayedJSON  `json:"delayed"`
		DelayedAll  uint64         `json:"delayed_count"`
		DelayedMore bool           `json:"delayed_more,omitempty"`
		Samples     int            `json:"samples"`
		Agreeing    int            `json:"samples_agreeing"`
		Expected    int            `json:"samples_expected"`
		Accounted   float64        `json:"accounted"`
		Unavailable []stall.Source `json:"unavailable,omitempty"`
		Hint        string         `json:"hint,omitempty"`
	}

	culpritJSON struct {
		PID       uint32   `json:"pid,omitempty"`
		TID       uint32   `json:"tid,omitempty"`
		Comm      string   `json:"comm,omitempty"`
		Container string   `json:"container,omitempty"`
		Cgroup    string   `json:"cgroup,omitempty"`
		Syscall   string   `json:"syscall,omitempty"`
		Args      []uint64 `json:"args,omitempty"`
		Path      string   `json:"path,omitempty"`
		Policy    string   `json:"policy,omitempty"`
		Priority  int      `json:"priority,omitempty"`
		Softirq   string   `json:"softirq,omitempty"`
		Handler   string   `json:"handler,omitempty"`
		Function  string   `json:"function,omitempty"`
		Device    string   `json:"device,omitempty"`
	}

	partJSON struct {
		What  string        `json:"what"`
		Kind  string        `json:"kind"`
		NS    time.Duration `json:"ns"`
		Share float64       `json:"share"`
	}

	delayedJSON struct {
		Proto  string        `json:"proto"`
		Src    string        `json:"src,omitempty"`
		Dst    string        `json:"dst,omitempty"`
		Sport  uint16        `json:"sport,omitempty"`
		Dport  uint16        `json:"dport,omitempty"`
		ID     *uint16       `json:"id,omitempty"`
		Seq    *uint16       `json:"seq,omitempty"`
		Device string        `json:"device,omitempty"`
		Delay  time.Duration `json:"delay_ns"`
		Exact  bool          `json:"exact"`
	}
)

// EncodeStall writes a stall as a line of JSON.
func EncodeStall(enc *json.Encoder, meta *event.Meta, s *stall.Stall) error {
	out := stallJSON{
		Time: meta.Start.Add(s.End), CPU: s.CPU, Duration: s.Duration(), Bound: s.Bound,
		Verdict: s.Verdict, Confidence: s.Confidence.String(), Sentence: s.Sentence(), Culprit: newCulpritJSON(s.Culprit),
		Window: []partJSON{}, Stack: []string{}, UserStack: []string{}, Delayed: []delayedJSON{}, DelayedAll: s.LateCount, DelayedMore: s.LateMore,
		Samples: s.Samples, Agreeing: s.Agreeing, Expected: s.Expected, Accounted: s.Accounted,
		Unavailable: s.Unavailable, Hint: s.Hint,
	}
	if s.Moved {
		out.RanOn = &s.RanOn
	}
	for _, p := range s.Parts {
		out.Window = append(out.Window, partJSON{p.What(), string(p.Kind), p.Duration, p.Share})
	}
	if s.Stack != nil {
		for _, f := range s.Stack.Frames {
			out.Stack = append(out.Stack, f.String())
		}
	}
	for i := range s.User {
		out.UserStack = append(out.UserStack, s.User[i].String())
	}
	for i := range s.Late {
		out.Delayed = append(out.Delayed, newDelayedJSON(s, &s.Late[i]))
	}
	return enc.Encode(out)
}

func newCulpritJSON(c *stall.Culprit) *culpritJSON {
	if c == nil {
		return nil
	}
	out := &culpritJSON{
		PID: c.PID, TID: c.TID, Comm: c.Comm, Cgroup: c.CgroupPath, Container: c.Container(),
		Policy: c.Policy, Priority: c.Priority, Softirq: c.Softirq, Handler: c.Handler, Device: c.Device,
	}
	if c.Syscall != nil {
		out.Syscall, out.Args, out.Path = c.Syscall.Name, c.Syscall.Args[:], c.Syscall.Path
	}
	if c.Function != nil {
		out.Function = c.Function.Name()
	}
	return out
}

func newDelayedJSON(s *stall.Stall, late *event.LatePacket) delayedJSON {
	p := &late.Packet
	out := delayedJSON{Proto: "-", Sport: p.SrcPort, Dport: p.DstPort, Device: late.Device.String()}
	out.Delay, out.Exact = s.Delay(late)
	if p.Version != 0 {
		out.Proto, out.Src, out.Dst = event.ProtocolName(p.Protocol), p.Src.String(), p.Dst.String()
	}
	if p.IsEcho() {
		out.ID, out.Seq = &p.EchoID, &p.EchoSeq
	}
	return out
}

// The names of these fields are promised in docs/json.md.
type (
	stallsJSON struct {
		Stalls []stallSumJSON   `json:"stalls"`
		Lost   *event.StallLoss `json:"lost"` // null: not watched for, or cut short
	}

	stallSumJSON struct {
		CPU     int           `json:"cpu"`
		Verdict stall.Verdict `json:"verdict"`
		Culprit string        `json:"culprit"`
		In      string        `json:"in"`
		Stalls  uint64        `json:"stalls"`
		Total   time.Duration `json:"total_ns"`
		Longest time.Duration `json:"longest_ns"`
		Packets uint64        `json:"packets"`
	}
)

func (a *Stalls) rowsJSON() []stallSumJSON {
	rows := []stallSumJSON{}
	for _, r := range a.sorted() {
		rows = append(rows, stallSumJSON{r.cpu, r.verdict, r.culprit, r.what, r.count, r.total, r.longest, r.late})
	}
	return rows
}
