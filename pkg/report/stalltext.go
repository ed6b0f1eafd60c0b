// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/fatih/color"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/spell"
	"github.com/dropwatch/dropwatch/pkg/stall"
)

// StallOptions says how much to tell of each stall.
type StallOptions struct {
	Color bool
	// Packets, Frames and Parts are how many of each to show at most; 0: all.
	Packets, Frames, Parts int
}

// AppendStall appends a stall as a block: the sentence, the verdict, where the time
// went, the stack, the packets that were late.
func AppendStall(b []byte, meta *event.Meta, s *stall.Stall, o StallOptions) []byte {
	sentence := s.Sentence()
	if o.Color {
		sentence = tint(color.Bold, sentence)
	}
	b = meta.Start.Add(s.End).AppendFormat(b, "15:04:05.000000")
	b = fmt.Appendf(b, " %s\n", sentence)
	b = fmt.Appendf(b, "  verdict  %s, confidence %s (%d of %s agree, %s accounted)\n",
		s.Verdict, s.Confidence, s.Agreeing, spell.Plural(uint64(s.Samples), "sample"), percent(s.Accounted))
	b = appendCulprit(b, s.Culprit)
	b = appendParts(b, s, o.Parts)
	b = appendFrames(b, "stack", frameTexts(s.Stack), o.Frames)
	var user []string
	for i := range s.User {
		user = append(user, s.User[i].String()+module(&s.User[i]))
	}
	b = appendFrames(b, "user", user, o.Frames)
	b = appendLate(b, s, o.Packets)
	for _, source := range s.Unavailable {
		b = fmt.Appendf(b, "  unknown  %s: not available on this kernel\n", source)
	}
	if s.Hint != "" {
		b = fmt.Appendf(b, "  hint     %s\n", s.Hint)
	}
	return append(b, '\n')
}

// appendCulprit tells of a task what the sentence has no room for.
func appendCulprit(b []byte, c *stall.Culprit) []byte {
	if c == nil || c.Comm == "" {
		return b
	}
	b = fmt.Appendf(b, "  culprit  %s, pid %d, tid %d", c.Comm, c.PID, c.TID)
	if c.Policy != "" {
		b = fmt.Appendf(b, ", %s", policyText(c))
	}
	if call := c.Syscall; call != nil {
		b = fmt.Appendf(b, ", %s(%#x, %#x, %#x)", call.Name, call.Args[0], call.Args[1], call.Args[2])
	}
	switch container := c.Container(); {
	case container != "":
		b = fmt.Appendf(b, ", %s", container)
	case c.CgroupPath != "" && c.CgroupPath != "/":
		b = fmt.Appendf(b, ", group %s", c.CgroupPath)
	}
	return append(b, '\n')
}

func appendParts(b []byte, s *stall.Stall, most int) []byte {
	for i, p := range s.Parts {
		head := ""
		if i == 0 {
			head = "window"
		}
		if most > 0 && i == most && len(s.Parts) > most+1 {
			var rest stall.Part
			for _, p := range s.Parts[i:] {
				rest.Duration += p.Duration
				rest.Share += p.Share
			}
			return fmt.Appendf(b, "  %-7s  %7s  %8s  %d more\n", "", percent(rest.Share), spanText(rest.Duration), len(s.Parts)-i)
		}
		b = fmt.Appendf(b, "  %-7s  %7s  %8s  %s\n", head, percent(p.Share), spanText(p.Duration), p.What())
	}
	return b
}

func frameTexts(stack *event.Stack) (frames []string) {
	if stack == nil {
		return nil
	}
	for _, f := range stack.Frames {
		frames = append(frames, f.String()+module(f))
	}
	return frames
}

func appendFrames(b []byte, head string, frames []string, most int) []byte {
	for i, frame := range frames {
		if most > 0 && i == most && len(frames) > most+1 {
			return fmt.Appendf(b, "  %-7s  and %d frames more\n", "", len(frames)-i)
		}
		b = fmt.Appendf(b, "  %-7s  %s\n", head, frame)
		head = ""
	}
	return b
}

func appendLate(b []byte, s *stall.Stall, most int) []byte {
	head := "late"
	for i := range s.Late {
		if most > 0 && i == most {
			break
		}
		p := &s.Late[i]
		delay, exact := s.Delay(p)
		b = fmt.Appendf(b, "  %-7s  %s%8s  %s%s %s\n", head, bound(exact), spanText(delay), p.Device,
			namespaceOf(p.Netns), packetText(&p.Packet, "not IP", p.Len))
		head = ""
	}
	shown := len(s.Late)
	if most > 0 {
		shown = min(shown, most)
	}
	if more := s.LateCount - min(s.LateCount, uint64(shown)); more > 0 {
		b = fmt.Appendf(b, "  %-7s  and %s more\n", head, spell.Plural(more, "packet"))
	}
	return b
}

// bound marks a delay that may have been shorter.
func bound(exact bool) string {
	if exact {
		return " "
	}
	return "≤"
}

// spanText spells a duration with three digits.
func spanText(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= 100*time.Millisecond:
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
	case d >= 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d >= time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	case d >= 10*time.Microsecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d >= time.Microsecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	}
	return fmt.Sprintf("%d ns", d)
}

// policyText quotes a real-time task's policy and priority, as chrt does.
func policyText(c *stall.Culprit) string {
	if c.Priority == 0 {
		return c.Policy
	}
	return fmt.Sprintf("%s %d", c.Policy, c.Priority)
}
