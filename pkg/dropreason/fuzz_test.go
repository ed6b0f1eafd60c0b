// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

// FuzzFormat takes any text for the format file of skb:kfree_skb.
func FuzzFormat(f *testing.F) {
	texts := formats(f)
	for _, kernel := range slices.Sorted(maps.Keys(texts)) {
		f.Add(texts[kernel])
	}
	f.Fuzz(func(t *testing.T, text string) {
		names, stated, err := FromFormat(text)
		if err != nil {
			if names != nil || stated {
				t.Error("an error and names")
			}
			return
		}
		checkNames(t, names)
		for _, r := range names.All() {
			if !stated || r.Code > math.MaxUint16 || r.Name == "" || !strings.Contains(text, `"`+r.Name+`"`) {
				t.Errorf("%+v, stated %t", r, stated)
			}
		}
	})
}

// FuzzEnumerators gives the enums' values any names and numbers.
func FuzzEnumerators(f *testing.F) {
	for _, v := range []values{core61, core612, subsystems72, qdisc72, mac80211612, ovs612} {
		for _, e := range v {
			f.Add(e.Name, e.Value)
		}
	}
	f.Fuzz(func(t *testing.T, name string, value uint64) {
		v := Enumerator{Name: name, Value: value}
		for _, e := range reasonEnums {
			reason, ok := e.reason(v)
			if ok && (value > math.MaxUint32 || !strings.HasSuffix(name, reason)) {
				t.Errorf("%s = %d of %s is the reason %q", name, value, e.name, reason)
			}
		}
		if subsystem, ok := subsystemName(v); ok && subsystem != strings.ToLower(subsystem) {
			t.Errorf("%s is the subsystem %q", name, subsystem)
		}
	})
}

func checkNames(t *testing.T, names *Names) {
	t.Helper()
	all := names.All()
	for i, r := range all {
		if names.Name(r.Code) != r.Name || i > 0 && all[i-1].Code >= r.Code {
			t.Errorf("%+v is called %q", r, names.Name(r.Code))
		}
	}
	for _, code := range []uint32{0, 1, 0xffff, 0x10000, math.MaxUint32} {
		names.Name(code)
	}
}
