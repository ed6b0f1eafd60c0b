// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// subsystemShift is SKB_DROP_REASON_SUBSYS_SHIFT: the upper half of a code is
// the subsystem (include/net/dropreason-core.h, 6.4).
const subsystemShift = 16

// Reason is one drop reason of one kernel.
type Reason struct {
	// Code is the value in skb:kfree_skb, subsystem included.
	Code uint32
	// Name is the enumerator without SKB_DROP_REASON_.
	Name string
}

// Names maps reason codes to names as one kernel spells them. The zero value
// knows no reason. It is immutable and safe for concurrent use.
type Names struct {
	reasons    []Reason          // sorted by code
	subsystems map[uint32]string // id to lower-case name, without core
}

// FromEnums reads every drop reason of a kernel: the core's and the subsystems'.
// enumerators returns the values of all enums of a name, none if the kernel has no such
// enum. A kernel that has no reasons (before 5.17) yields empty Names. The error is that
// of enumerators.
func FromEnums(enumerators func(enum string) ([]Enumerator, error)) (*Names, error) {
	names := make(map[uint32]string)
	subsystems := make(map[uint32]string)
	for _, e := range reasonEnums {
		values, err := enumerators(e.name)
		if err != nil {
			return nil, fmt.Errorf("read drop reasons: %w", err)
		}
		for _, v := range values {
			if name, ok := e.reason(v); ok {
				names[uint32(v.Value)] = name
			}
		}
	}
	values, err := enumerators("skb_drop_reason_subsys")
	if err != nil {
		return nil, fmt.Errorf("read drop reason subsystems: %w", err)
	}
	for _, v := range values {
		if name, ok := subsystemName(v); ok {
			subsystems[uint32(v.Value)] = name
		}
	}
	return newNames(names, subsystems), nil
}

// newNames sorts reasons by their codes.
func newNames(names, subsystems map[uint32]string) *Names {
	n := &Names{subsystems: subsystems}
	for _, code := range slices.Sorted(maps.Keys(names)) {
		n.reasons = append(n.reasons, Reason{Code: code, Name: names[code]})
	}
	return n
}

// Name returns the kernel's name of a reason: NETFILTER_DROP,
// OVS_DROP_LAST_ACTION. Codes without a name stay visible:
// core reasons as decimal, those of a subsystem as openvswitch/3, or 5/3 where
// the subsystem has no name either.
func (n *Names) Name(code uint32) string {
	i, found := slices.BinarySearchFunc(n.reasons, code, func(r Reason, code uint32) int {
		return cmp.Compare(r.Code, code)
	})
	if found {
		return n.reasons[i].Name
	}
	id, local := code>>subsystemShift, code&(1<<subsystemShift-1)
	if id == 0 {
		return strconv.FormatUint(uint64(local), 10)
	}
	if subsystem, ok := n.subsystems[id]; ok {
		return fmt.Sprintf("%s/%d", subsystem, local)
	}
	return fmt.Sprintf("%d/%d", id, local)
}

// All returns every reason, sorted by code.
func (n *Names) All() []Reason {
	return slices.Clone(n.reasons)
}

// subsystemName returns the name of a subsystem: OPENVSWITCH is openvswitch.
func subsystemName(v Enumerator) (string, bool) {
	name, ok := strings.CutPrefix(v.Name, "SKB_DROP_REASON_SUBSYS_")
	if !ok || name == "CORE" || name == "NUM" {
		return "", false
	}
	return strings.ToLower(name), true
}
