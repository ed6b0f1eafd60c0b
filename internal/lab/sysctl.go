// SPDX-License-Identifier: Apache-2.0

//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"
)

// Sysctl writes a setting of the host's namespace, named by its path below
// /proc/sys/net. It must be one that each namespace has for itself: such settings
// end with the namespace, and none has to be restored.
func (h *Host) Sysctl(name, value string) error {
	return h.Do(func() error {
		path := filepath.Join("/proc/sys/net", name)
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			return fmt.Errorf("set sysctl to %q: %w", value, err)
		}
		return nil
	})
}

// sysctls writes settings given as name, value, name, value.
func (h *Host) sysctls(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := h.Sysctl(pairs[i], pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// silence keeps the kernel from sending packets of its own, and from judging
// packets by settings that a new namespace took over from the node.
func (h *Host) silence() error {
	for _, conf := range []string{"ipv4/conf/all/", "ipv4/conf/default/"} {
		err := h.sysctls(conf+"forwarding", "0", conf+"rp_filter", "0", conf+"log_martians", "0",
			conf+"send_redirects", "0", conf+"accept_local", "0", conf+"route_localnet", "0")
		if err != nil {
			return err
		}
	}
	if !h.HasIPv6() {
		return nil
	}
	conf := "ipv6/conf/default/"
	return h.sysctls("ipv6/conf/all/disable_ipv6", "0", conf+"disable_ipv6", "0", conf+"forwarding", "0",
		conf+"accept_dad", "0", conf+"dad_transmits", "0", conf+"router_solicitations", "0",
		conf+"accept_ra", "0", conf+"autoconf", "0", conf+"addr_gen_mode", "1")
}
