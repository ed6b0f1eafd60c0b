// SPDX-License-Identifier: Apache-2.0

package dropreason

// What there is to check and to change is the same for many wireless reasons.
// MONITOR is an interface in monitor mode.
const (
	checkStation = "iw dev DEV station dump, iw event -t: stations, and when they come and go; " +
		"on an access point hostapd_cli all_sta"
	checkFourAddress = "iw dev DEV info: 4addr; wds_sta in hostapd's configuration; iw dev DEV station dump"
	checkFrame       = "tcpdump -eni MONITOR: who sends such frames, and its driver and firmware"
	checkKeys        = "hostapd's or wpa_supplicant's log: handshakes and changes of keys; " +
		"iw dev DEV station dump: signal, rx drop misc"
	checkForged = "tcpdump -eni MONITOR type mgt: the sender and its signal; " +
		"ieee80211w in the configuration of hostapd or wpa_supplicant"
	changeForged = "Ignoring them is right. If the link breaks, have both ends protect management frames " +
		"(ieee80211w=2), or look for who forges them."
)
