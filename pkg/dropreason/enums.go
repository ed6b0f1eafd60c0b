// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"math"
	"strings"
)

// Enumerator is one value of an enum of the kernel, as its BTF has it.
type Enumerator struct {
	Name  string
	Value uint64
}

// reasonEnum is one enum whose values the kernel passes to kfree_skb_reason.
type reasonEnum struct {
	name   string
	reason func(Enumerator) (string, bool)
}

// reasonEnums are the enums that hold reasons: the core's (5.17), mac80211's
// (6.4), openvswitch's (6.6) and the qdiscs' (by 7.2). Of mac80211's twins
// (net/mac80211/drop.h) this is the one without underscores. Qdiscs' reasons
// appear in qdisc:qdisc_drop, and skb:kfree_skb says QDISC_DROP in their place
// (__tcf_kfree_skb_list, net/sched/sch_generic.c, 7.2).
var reasonEnums = []reasonEnum{
	{"skb_drop_reason", coreReason},
	{"mac80211_drop_reason", subsystemReason},
	{"ovs_drop_reason", subsystemReason},
	{"qdisc_drop_reason", subsystemReason},
}

// corePrefix is what enumerators of enum skb_drop_reason begin with.
const corePrefix = "SKB_DROP_REASON_"

// coreReason names a value of enum skb_drop_reason. SKB_NOT_DROPPED_YET and
// SKB_CONSUMED, without the prefix, are no reasons.
func coreReason(v Enumerator) (string, bool) {
	name, ok := strings.CutPrefix(v.Name, corePrefix)
	if !ok || name == "MAX" || name == "SUBSYS_MASK" {
		return "", false
	}
	return name, v.Value <= math.MaxUint16
}

// subsystemReason names a value of a subsystem's enum. Results that belong to
// the core, such as RX_QUEUED or QDISC_DROP_UNSPEC, and markers such as
// __OVS_DROP_REASON and OVS_DROP_MAX are no reasons.
func subsystemReason(v Enumerator) (string, bool) {
	if strings.HasPrefix(v.Name, "__") || strings.HasSuffix(v.Name, "_MAX") || strings.HasSuffix(v.Name, "_NUM") {
		return "", false
	}
	return v.Name, v.Value > math.MaxUint16 && v.Value <= math.MaxUint32
}
