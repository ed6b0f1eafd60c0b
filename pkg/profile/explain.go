// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
)

// Explain returns what is known of a frame that is a reason, below the function that
// freed the packets.
func (o StackOptions) Explain(frame, parent string) []flamegraph.Fact {
	reason, _ := parseReasonFrame(frame, parent)
	info := reasonInfo(frame, parent)
	if info.Meaning == "" {
		return nil
	}
	facts := []flamegraph.Fact{
		{Term: "Meaning", Text: info.Meaning},
		{Term: "Layer", Text: string(info.Layer)},
		{Term: "Class", Text: string(info.Class) + ": " + info.Class.Meaning()},
	}
	if reason.Inferred {
		facts = append(facts, flamegraph.Fact{Term: "Inferred", Text: "the kernel stated no reason; the location tells"})
	}
	for _, advice := range []flamegraph.Fact{{Term: "To check", Text: info.Check}, {Term: "To change", Text: info.Change}} {
		if advice.Text != "" {
			facts = append(facts, advice)
		}
	}
	if o.reasonLast() {
		facts = append(facts, flamegraph.Fact{Term: "Dropped in"})
	}
	if len(info.Counters) > 0 {
		facts = append(facts, flamegraph.Fact{Term: "Counters", Text: strings.Join(info.Counters, "; ")})
	}
	if len(info.Sysctls) > 0 {
		facts = append(facts, flamegraph.Fact{Term: "Settings", Text: "sysctl " + strings.Join(info.Sysctls, " ")})
	}
	return facts
}
