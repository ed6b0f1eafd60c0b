// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"strings"

	"github.com/dropwatch/dropwatch/flamegraph"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// Explain returns what is known of a frame that is a reason.
func (o StackOptions) Explain(frame string) []flamegraph.Fact {
	info := dropreason.Lookup(frame)
	if info.Meaning == "" {
		return nil
	}
	facts := []flamegraph.Fact{
		{Term: "Meaning", Text: info.Meaning},
		{Term: "Layer", Text: string(info.Layer)},
		{Term: "Class", Text: string(info.Class) + ": " + info.Class.Meaning()},
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
