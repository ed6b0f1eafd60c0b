// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// The counters of a namespace with two interfaces, as pkg/host reads them.
const (
	linkCounters = `rx_errors rx_dropped rx_over_errors rx_crc_errors rx_frame_errors rx_fifo_errors rx_missed_errors
		rx_length_errors rx_nohandler rx_otherhost_dropped tx_errors tx_dropped tx_aborted_errors tx_carrier_errors
		tx_fifo_errors tx_heartbeat_errors tx_window_errors collisions multicast`
	ipCounters = `InHdrErrors InTooBigErrors InNoRoutes InAddrErrors InUnknownProtos InTruncatedPkts InCsumErrors
		InDiscards OutDiscards OutNoRoutes ReasmTimeout ReasmFails ReasmOverlaps FragFails`
	icmpCounters = `InErrors InCsumErrors OutErrors OutRateLimitGlobal OutRateLimitHost`
	udpCounters  = `NoPorts InErrors RcvbufErrors SndbufErrors InCsumErrors IgnoredMulti MemErrors`
	tcpCounters  = `SyncookiesFailed PruneCalled RcvPruned OfoPruned OutOfWindowIcmps LockDroppedIcmps ArpFilter
		PAWSActive PAWSEstab PAWSOldAck PAWSTimewait BeyondWindow TSEcrRejected DelayedACKLost ListenOverflows ListenDrops
		IPReversePathFilter PFMemallocDrop TCPBacklogDrop TCPMinTTLDrop TCPDeferAcceptDrop TCPTimeWaitOverflow
		TCPReqQFullDoCookies TCPReqQFullDrop TCPRcvQDrop TCPZeroWindowDrop TCPOFODrop TCPOFOMerge TCPAbortOnData
		TCPAbortOnMemory TCPAbortFailed TCPMemoryPressures TCPRetransFail TCPWqueueTooBig TCPChallengeACK
		TCPSYNChallenge TCPFastOpenPassiveFail TCPFastOpenListenOverflow TCPMigrateReqFailure TCPACKSkippedSynRecv
		TCPACKSkippedPAWS TCPACKSkippedSeq TCPACKSkippedFinWait2 TCPACKSkippedTimeWait TCPACKSkippedChallenge
		TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAODroppedIcmps`
	conntrackCounters = `insert_failed drop early_drop error search_restart clash_resolve chain_toolong`
	xfrmCounters      = `InError InBufferError InHdrError InNoStates InStateProtoError InStateModeError InStateSeqError
		InStateExpired InStateMismatch InStateInvalid InTmplMismatch InNoPols InPolBlock InPolError OutError
		OutBundleGenError OutBundleCheckError OutNoStates OutStateProtoError OutStateModeError OutStateSeqError
		OutStateExpired OutPolBlock OutPolDead OutPolError FwdHdrError OutStateInvalid AcquireError`
)

// countersOf returns the counters of a namespace at one moment.
func countersOf(netns event.Netns, value func() uint64) (all []event.Reading) {
	add := func(c event.Counter, prefix, names string) {
		for name := range strings.FieldsSeq(names) {
			c.Name, c.Netns = prefix+name, netns
			all = append(all, event.Reading{Counter: c, Value: value()})
		}
	}
	for i, device := range []string{"lo", fmt.Sprintf("eth%d", netns.Inode%3)} {
		add(event.Counter{Source: event.CounterLink, Device: device, Index: 1 + i*int(netns.Inode%5000)}, "", linkCounters)
	}
	add(event.Counter{Source: event.CounterQdisc, Device: "eth0", Index: 2, Part: "fq_codel 0:"}, "", "dropped overlimits")
	for _, group := range []struct{ prefixes, names string }{
		{"Ip IpExt Ip6", ipCounters}, {"Icmp Icmp6", icmpCounters}, {"Udp Udp6 UdpLite UdpLite6", udpCounters},
		{"Tcp", "AttemptFails InErrs InCsumErrors OutRsts"}, {"TcpExt", tcpCounters},
	} {
		for prefix := range strings.FieldsSeq(group.prefixes) {
			add(event.Counter{Source: event.CounterProtocol}, prefix, group.names)
		}
	}
	add(event.Counter{Source: event.CounterConntrack}, "", conntrackCounters)
	add(event.Counter{Source: event.CounterXfrm}, "Xfrm", xfrmCounters)
	return all
}

// TestNode: the counters of a node with a thousand namespaces, of which one in ten is not
// 0 and one in a thousand moves within a second, are read, as they were written and packed
// by zstd -19.
func TestNode(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	value := func() uint64 {
		if random.IntN(10) > 0 {
			return 0
		}
		return random.Uint64N(1 << (1 + random.IntN(30)))
	}
	var all []event.Reading
	for i := range 1000 {
		netns := event.Netns{Inode: 4026532000 + uint32(i*7+random.IntN(5)), Name: fmt.Sprintf("cni-%08x-%04x", random.Uint32(), random.IntN(1<<16))}
		all = append(all, countersOf(netns, value)...)
	}
	var file bytes.Buffer
	w, err := NewWriter(&file, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	const seconds = 5
	changed := all
	for i := range seconds {
		for _, e := range []event.Event{&event.Tick{Time: time.Duration(i) * time.Second}, &event.Counters{Time: time.Duration(i) * time.Second, Readings: changed}} {
			if err := w.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		changed = nil
		for j := range all {
			if random.IntN(1000) == 0 {
				all[j].Value += 1 + random.Uint64N(100)
				changed = append(changed, all[j])
			}
		}
	}
	if err := w.Write(&event.End{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	checkReadable(t, file.Bytes(), 2*seconds+1)
	checkReadable(t, pack(t, unpack(t, file.Bytes())), 2*seconds+1)
}

// TestLongDay: a day is read, in which as a rule nothing happens, and every four seconds a
// pod comes, with counters that move and cells that count, and one goes.
func TestLongDay(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var file bytes.Buffer
	w, err := NewWriter(&file, sampleMeta())
	if err != nil {
		t.Fatal(err)
	}
	drop := *sampleEvents()[0].(*event.Drop)
	type pod struct {
		cell     *event.Cell
		counters []event.Reading
	}
	var pods []pod
	var totals event.Totals
	const seconds, atATime = 86_400, 50
	events := 0
	write := func(e event.Event) {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
		events++
	}
	free := 10 // of cells
	for i := range seconds {
		tick := &event.Tick{Time: time.Duration(i)*time.Second + time.Duration(random.IntN(1e6))}
		counters := &event.Counters{Time: tick.Time + time.Duration(random.IntN(1e6))}
		if i%4 == 0 {
			netns := event.Netns{Inode: 4026532000 + random.Uint32N(1<<16), Name: fmt.Sprintf("cni-%08x", random.Uint32())}
			cell := *drop.Cell
			cell.ID, cell.Netns, cell.Device = free, netns, event.Device{Index: i/4 + 10, Name: fmt.Sprintf("veth%06x", random.IntN(1<<24))}
			free++
			all := countersOf(netns, func() uint64 { return 1 })
			random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			pods = append(pods, pod{&cell, all[:10]})
			counters.Readings = append(counters.Readings, all[:10]...)
			drop.Cell, drop.Time, drop.Drops = &cell, tick.Time, 1
			write(&drop)
			tick.Counts = append(tick.Counts, event.Count{Cell: &cell, Drops: 3, Bytes: 300})
			totals.Drops += 3
		}
		if len(pods) > atATime {
			tick.Gone = append(tick.Gone, pods[0].cell)
			for _, r := range pods[0].counters {
				counters.Gone = append(counters.Gone, r.Counter)
			}
			pods = pods[1:]
		}
		tick.Totals = totals
		write(tick)
		write(counters)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	write(&event.End{Totals: totals})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	checkReadable(t, file.Bytes(), events)
}

// checkReadable reads a recording of so many events.
func checkReadable(t *testing.T, raw []byte, events int) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for ; err == nil; n++ {
		_, err = r.Next()
	}
	if !errors.Is(err, io.EOF) || n-1 != events {
		t.Errorf("%d of %d events, then %v", n-1, events, err)
	}
	t.Logf("%d bytes count for %d times as much", len(raw), r.room.spent/int64(len(raw)))
}
