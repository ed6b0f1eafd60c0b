// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/rtnl"
)

// attribute builds a struct rtattr.
func attribute(kind uint16, value ...byte) []byte {
	text := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(value)))
	text = binary.NativeEndian.AppendUint16(text, kind)
	text = append(text, value...)
	return append(text, make([]byte, -len(text)&3)...)
}

// newLink builds an RTM_NEWLINK whose statistics are the numbers of their places.
func newLink(kind string, fields int) []byte {
	message := make([]byte, unix.SizeofIfInfomsg)
	binary.NativeEndian.PutUint32(message[4:], 3)
	var stats []byte
	for i := range fields {
		stats = binary.NativeEndian.AppendUint64(stats, uint64(i))
	}
	info := attribute(unix.IFLA_INFO_KIND, append([]byte(kind), 0)...)
	return slices.Concat(message, attribute(unix.IFLA_IFNAME, []byte("eth\x1b0\x00")...),
		attribute(unix.IFLA_LINKINFO|unix.NLA_F_NESTED, info...), attribute(unix.IFLA_STATS64, stats...))
}

// TestLinkOfOldKernel: 5.10 has 24 fields, without rx_otherhost_dropped.
func TestLinkOfOldKernel(t *testing.T) {
	link, err := parseLink(newLink("veth", 24))
	if err != nil {
		t.Fatal(err)
	}
	readings := appendLink(nil, event.Counter{Source: event.CounterLink}, link.stats)
	got := map[string]uint64{}
	for _, r := range readings {
		got[r.Name] = r.Value
	}
	want := map[string]uint64{
		"rx_errors": 4, "tx_errors": 5, "rx_dropped": 6, "tx_dropped": 7, "collisions": 9, "rx_length_errors": 10,
		"rx_over_errors": 11, "rx_crc_errors": 12, "rx_frame_errors": 13, "rx_fifo_errors": 14, "rx_missed_errors": 15,
		"tx_aborted_errors": 16, "tx_carrier_errors": 17, "tx_fifo_errors": 18, "tx_heartbeat_errors": 19,
		"tx_window_errors": 20, "rx_nohandler": 23,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func TestLink(t *testing.T) {
	for kind, sums := range map[string]bool{"veth": false, "bond": true, "team": true, "bridge": false} {
		link, err := parseLink(newLink(kind, 25))
		if err != nil {
			t.Fatal(err)
		}
		if link.index != 3 || string(link.name) != "eth\x1b0" || string(link.kind) != kind || link.isAggregate() != sums || len(link.stats) != 25*8 {
			t.Errorf("%s: %+v", kind, link)
		}
		var devices deviceTable
		if text := devices.see(link).text; text != `eth\x1b0` {
			t.Errorf("name %q", text)
		}
	}
}

// newQdisc builds an RTM_NEWQDISC.
func newQdisc(kind string, handle, parent, drops, overlimits uint32) []byte {
	message := make([]byte, sizeofTcmsg)
	binary.NativeEndian.PutUint32(message[4:], 3)
	binary.NativeEndian.PutUint32(message[8:], handle)
	binary.NativeEndian.PutUint32(message[12:], parent)
	queue := make([]byte, 20)
	binary.NativeEndian.PutUint32(queue[8:], drops)
	binary.NativeEndian.PutUint32(queue[16:], overlimits)
	return slices.Concat(message, attribute(tcaKind, append([]byte(kind), 0)...),
		attribute(tcaStats2, attribute(tcaStatsQueue, queue...)...))
}

// TestQdiscs checks the texts of qdiscs, and which qdiscs leave their drops to the parent.
func TestQdiscs(t *testing.T) {
	type row struct {
		text   string
		nested bool
	}
	const root = tcHandleRoot
	for name, test := range map[string]struct {
		messages [][]byte
		want     []row
	}{
		"default": {[][]byte{newQdisc("fq_codel", 0, root, 1, 2)}, []row{{"fq_codel 0:", false}}},
		"default of several queues": {
			[][]byte{newQdisc("mq", 0, root, 3, 2), newQdisc("fq_codel", 0, 0x2, 1, 2), newQdisc("fq_codel", 0, 0x1, 1, 2)},
			[]row{{"mq 0:", false}, {"fq_codel 0: parent :2", false}, {"fq_codel 0: parent :1", false}},
		},
		"classes": {
			[][]byte{newQdisc("htb", 0x10000, root, 1, 2), newQdisc("fq_codel", 0x8001_0000, 0x1_0010, 1, 2), newQdisc("clsact", 0xffff0000, 0xfffffff1, 1, 2)},
			[]row{{"htb 1:", false}, {"fq_codel 8001:", true}, {"clsact ffff:", false}},
		},
		"classes in a queue": {
			[][]byte{newQdisc("mq", 0x10000, root, 1, 2), newQdisc("htb", 0x20000, 0x1_0001, 1, 2), newQdisc("tbf", 0x30000, 0x2_0001, 1, 2), newQdisc("pfifo", 0, 0x3_0001, 1, 2)},
			[]row{{"mq 1:", false}, {"htb 2:", false}, {"tbf 3:", true}, {"pfifo 0: parent 3:1", true}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var all []qdisc
			for _, m := range test.messages {
				q, err := parseQdisc(m, map[string]string{})
				if err != nil || !q.counted || q.overlimits != 2 || q.device != 3 {
					t.Fatalf("%+v, %v", q, err)
				}
				all = append(all, q)
			}
			var got []row
			for i := range all {
				got = append(got, row{all[i].String(), nested(&all[i], all)})
			}
			if d := cmp.Diff(test.want, got, cmp.AllowUnexported(row{})); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// TestDumpAfterError: an aborted dump does not disturb the next one.
func TestDumpAfterError(t *testing.T) {
	s, err := rtnl.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	buffer := make([]byte, rtnl.Buffer)
	count := func(fail error) (n int, err error) {
		err = s.Dump(unix.RTM_GETLINK, unix.SizeofIfInfomsg, buffer, func([]byte) error { n++; return fail })
		return n, err
	}
	if n, err := count(unix.EIO); n != 1 || !errors.Is(err, unix.EIO) {
		t.Errorf("%d messages, %v", n, err)
	}
	first, err1 := count(nil)
	second, err2 := count(nil)
	if err1 != nil || err2 != nil || first == 0 || first != second {
		t.Errorf("%d and %d messages, %v, %v", first, second, err1, err2)
	}
	err = s.Dump(0xfff, unix.SizeofIfInfomsg, buffer, func([]byte) error { return nil })
	if err == nil {
		t.Error("no error for a request that no kernel has")
	}
}

func FuzzLink(f *testing.F) {
	f.Add(newLink("veth", 25))
	f.Add(newLink("bond", 24))
	f.Fuzz(func(t *testing.T, message []byte) {
		link, err := parseLink(message)
		if err != nil && (link.name != nil || link.stats != nil) {
			t.Errorf("%+v beside %v", link, err)
		}
		for _, r := range appendLink(nil, event.Counter{}, link.stats) {
			if r.Name == "" {
				t.Errorf("%+v", r)
			}
		}
	})
}

func FuzzQdisc(f *testing.F) {
	f.Add(newQdisc("fq_codel", 0x80010000, 0x10001, 1, 2))
	f.Add(newQdisc("mq", 0, tcHandleRoot, 1, 2))
	f.Fuzz(func(t *testing.T, message []byte) {
		q, err := parseQdisc(message, map[string]string{})
		if err != nil && q != (qdisc{}) {
			t.Errorf("%+v beside %v", q, err)
		}
		if text := q.String(); text != event.Printable(text) {
			t.Errorf("%q", text)
		}
	})
}
