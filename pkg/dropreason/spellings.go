// SPDX-License-Identifier: Apache-2.0

package dropreason

// spelling is a name and that of the reason it stands for.
type spelling struct{ name, same string }

// spellings are the names under which some kernels know a reason that the
// catalogue has under another.
var spellings = []spelling{
	// 5.18 only; 5.19 renamed it.
	{name: "PTYPE_ABSENT", same: "UNHANDLED_PROTO"},

	// enum qdisc_drop_reason, which by 7.2 replaced core reasons of 6.18; some
	// of its names lived in development trees only.
	{name: "QDISC_DROP_GENERIC", same: "QDISC_DROP"},
	{name: "QDISC_DROP_OVERLIMIT", same: "QDISC_OVERLIMIT"},
	{name: "QDISC_DROP_CONGESTED", same: "QDISC_CONGESTED"},
	{name: "QDISC_DROP_CAKE_FLOOD", same: "CAKE_FLOOD"},
	{name: "QDISC_DROP_FLOOD_PROTECTION", same: "CAKE_FLOOD"},
	{name: "QDISC_DROP_FQ_BAND_LIMIT", same: "FQ_BAND_LIMIT"},
	{name: "QDISC_DROP_BAND_LIMIT", same: "FQ_BAND_LIMIT"},
	{name: "QDISC_DROP_FQ_HORIZON_LIMIT", same: "FQ_HORIZON_LIMIT"},
	{name: "QDISC_DROP_HORIZON_LIMIT", same: "FQ_HORIZON_LIMIT"},
	{name: "QDISC_DROP_FLOW_LIMIT", same: "FQ_FLOW_LIMIT"},
	{name: "QDISC_DROP_L4S_STEP_NON_ECN", same: "DUALPI2_STEP_DROP"},

	// mac80211 had a second subsystem, for frames still shown to monitors,
	// and unspecific reasons (net/mac80211/drop.h, 6.12).
	{name: "RX_DROP_MONITOR", same: "RX_DROP"},
	{name: "RX_DROP_UNUSABLE", same: "RX_DROP"},
	{name: "RX_DROP_M_UNEXPECTED_4ADDR_FRAME", same: "RX_DROP_U_UNEXPECTED_4ADDR_FRAME"},
	{name: "RX_DROP_M_BAD_BCN_KEYIDX", same: "RX_DROP_U_BAD_BCN_KEYIDX"},
	{name: "RX_DROP_M_BAD_MGMT_KEYIDX", same: "RX_DROP_U_BAD_MGMT_KEYIDX"},
}
