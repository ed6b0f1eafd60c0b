// SPDX-License-Identifier: Apache-2.0

package kernel

import "testing"

func TestSoftirqName(t *testing.T) {
	for vector, want := range map[int8]string{
		-2: "", -1: "", 0: "HI", TimerSoftirq: "TIMER", NetRXSoftirq: "NET_RX", HRTimerSoftirq: "HRTIMER", 9: "RCU", 10: "", 127: "",
	} {
		if got := SoftirqName(vector); got != want {
			t.Errorf("%d is %q, want %q", vector, got, want)
		}
	}
}

func TestUserPriority(t *testing.T) {
	for prio, want := range map[int16]int{-1: 0, 0: 99, 49: 50, 98: 1, 99: 0, 120: 0} {
		if got := UserPriority(prio); got != want {
			t.Errorf("prio %d is shown as %d, want %d", prio, got, want)
		}
	}
}

func TestNetworkThread(t *testing.T) {
	for comm, want := range map[string]bool{
		"napi/eth0-5": true, "backlog_napi/3": true, "ksoftirqd/0": true, "kworker/0:1": false, "napi": false, "": false,
	} {
		if got := IsNetworkThread(comm, true); got != want {
			t.Errorf("kernel thread %q does network work: %t", comm, got)
		}
		if IsNetworkThread(comm, false) {
			t.Errorf("process %q does network work", comm)
		}
	}
}
