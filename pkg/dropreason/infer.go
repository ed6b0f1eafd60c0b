// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"slices"
	"strings"
	"sync"
)

// NotSpecified is the name of the reason that says nothing: what kernels give where
// nobody has given them a word yet.
const NotSpecified = "NOT_SPECIFIED"

// Infer returns the reason for which a kernel function frees packets, as the
// catalogue spells it. It is not ok for functions that do so for several reasons,
// or that are not known: no reason is better than a wrong one. What compilers append
// to a name after a dot (.isra.0, .part.0, .cold) does not count.
func Infer(function string) (reason string, ok bool) {
	i := inferenceOf(function)
	return i.reason, i.reason != ""
}

// NameAt returns the name of the reason with which a function freed a packet: that of
// Name; where this is NotSpecified, as all are on a kernel without reasons, what Infer
// tells. Where the function now and then frees for something else, a kernel that knows
// the word and does not say it is believed.
func (n *Names) NameAt(code uint32, function string) (name string, inferred bool) {
	name = n.Name(code)
	if code == 0 && len(n.reasons) == 0 {
		name = NotSpecified
	}
	if name != NotSpecified {
		return name, false
	}
	i := inferenceOf(function)
	if i.reason == "" || i.rarely != "" && n.knows(i.reason) {
		return name, false
	}
	return i.reason, true
}

func (n *Names) knows(name string) bool {
	return slices.ContainsFunc(n.reasons, func(r Reason) bool { return r.Name == name })
}

// inferenceOf returns the zero value for functions there is no rule for.
func inferenceOf(function string) inference {
	name, _, _ := strings.Cut(function, ".")
	return inferencesByFunction()[name]
}

var inferencesByFunction = sync.OnceValue(func() map[string]inference {
	rules := make(map[string]inference)
	for _, rule := range inferences {
		for _, function := range rule.functions {
			rules[function] = rule
		}
	}
	return rules
})
