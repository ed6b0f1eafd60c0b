// SPDX-License-Identifier: Apache-2.0

package rtt

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestDrainSamples finds the stalls in real logs: a tunnel answered nothing during
// the first 100 ms of every 500 ms, see testdata/README.md.
func TestDrainSamples(t *testing.T) {
	const us, ms = time.Microsecond, time.Millisecond
	tests := []struct {
		name    string
		replies int
		errs    []string
		want    []Drain
	}{
		{"ping-O-stalls", 152, nil, []Drain{
			{Time: at(1795369405100305), Interval: 12150 * us, First: 1, Last: 2, Replies: 2, MaxRTT: 21 * ms},
			{Time: at(1795369405600315), Interval: 15986 * us, First: 29, Last: 34, Replies: 6, MaxRTT: 88900 * us},
			{Time: at(1795369406100292), Interval: 15998 * us, First: 61, Last: 66, Replies: 6, MaxRTT: 84900 * us},
			{Time: at(1795369406600293), Interval: 15974833, First: 92, Last: 98, Replies: 7, MaxRTT: 96800 * us},
			{Time: at(1795369407100314), Interval: 15479666, First: 124, Last: 130, Replies: 7, MaxRTT: 92900 * us},
		}},
		{"ping-v-stalls", 60, nil, []Drain{
			{Time: at(1795369407600289), Interval: 17593200, First: 26, Last: 31, Replies: 6, MaxRTT: 88900 * us},
			{Time: at(1795369408100343), Interval: 16790 * us, First: 55, Last: 60, Replies: 6, MaxRTT: 92900 * us},
		}},
		{"hping3-stalls", 129, []string{"rtt log line 71: reply without a round-trip time"}, []Drain{
			{Interval: 10055555, First: 38, Last: 47, Replies: 10, MaxRTT: 98400 * us},
			{Interval: 10587500, First: 88, Last: 96, Replies: 9, MaxRTT: 92800 * us},
		}},
		{"hping3-V-stalls", 59, []string{"rtt log line 112: reply without a round-trip time"}, []Drain{
			{Interval: 10044444, First: 3, Last: 12, Replies: 10, MaxRTT: 98700 * us},
			{Interval: 10050 * us, First: 53, Last: 59, Replies: 6, MaxRTT: 95300 * us},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			replies, errs := parse(t, sample(t, test.name))
			if len(replies) != test.replies {
				t.Errorf("%d replies, want %d", len(replies), test.replies)
			}
			if d := diff(test.errs, errs) + diff(test.want, Drains(replies, ms)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

// timedLog makes a log of replies from pairs of sequence number and round-trip
// time in ms; each was sent at its number times the interval.
func timedLog(interval time.Duration, pairs ...float64) string {
	var log strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		rtt := time.Duration(pairs[i+1] * float64(time.Millisecond))
		us := (time.Duration(pairs[i])*interval + rtt).Microseconds()
		fmt.Fprintf(&log, "[%d.%06d] 64 bytes from 10.0.0.2: icmp_seq=%d ttl=64 time=%g ms\n",
			1700000000+us/1e6, us%1e6, int(pairs[i])%65536, pairs[i+1])
	}
	return log.String()
}

func untimedLog(pairs ...float64) string {
	var log strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		fmt.Fprintf(&log, "len=28 ip=10.0.0.2 ttl=64 id=1 icmp_seq=%d rtt=%.1f ms\n", int(pairs[i]), pairs[i+1])
	}
	return log.String()
}

func TestDrains(t *testing.T) {
	const ms = time.Millisecond
	start := at(1700000000000000)
	tests := []struct {
		name, log string
		want      []Drain
	}{
		{"empty", "", nil},
		{"quiet", timedLog(10*ms, 1, .1, 2, .2, 3, .1, 4, .1), nil},
		{"fast and quiet", timedLog(ms/5, 1, .1, 2, .1, 3, .1, 4, .1, 5, .1, 6, .1), nil},
		{"the sawtooth", timedLog(10*ms, 1, .1, 2, 39, 3, 29, 4, 19, 5, 9, 6, .1),
			[]Drain{{Time: start.Add(59 * ms), Interval: 10 * ms, First: 2, Last: 5, Replies: 4, MaxRTT: 39 * ms}}},
		{"drained over half a millisecond", timedLog(10*ms, 2, 29, 3, 19.2, 4, 9.5),
			[]Drain{{Time: start.Add(49 * ms), Interval: 9750 * time.Microsecond, First: 2, Last: 4, Replies: 3, MaxRTT: 29 * ms}}},
		{"too slow to be one", timedLog(10*ms, 2, 29, 3, 20.1, 4, 11.2), nil},
		{"one late reply", timedLog(10*ms, 1, .1, 2, 9, 3, .1, 4, .1), nil},
		{"two at once", timedLog(10*ms, 1, 19, 2, 9, 3, 29, 4, 19, 5, 9), []Drain{
			{Time: start.Add(29 * ms), Interval: 10 * ms, First: 1, Last: 2, Replies: 2, MaxRTT: 19 * ms},
			{Time: start.Add(59 * ms), Interval: 10 * ms, First: 3, Last: 5, Replies: 3, MaxRTT: 29 * ms},
		}},
		{"lost packets", timedLog(10*ms, 2, 69, 3, 59, 6, 29, 8, 9),
			[]Drain{{Time: start.Add(89 * ms), Interval: 10 * ms, First: 2, Last: 8, Replies: 4, MaxRTT: 69 * ms}}},
		{"over the wrap", timedLog(10*ms, 65535, 19, 65536, 9),
			[]Drain{{Time: start.Add(655369 * ms), Interval: 10 * ms, First: 65535, Last: 65536, Replies: 2, MaxRTT: 19 * ms}}},
		{"rounded to milliseconds", timedLog(ms/2, 1, 103, 2, 103, 3, 102, 4, 102, 5, 101),
			[]Drain{{Time: start.Add(103500 * time.Microsecond), Interval: ms / 2, First: 1, Last: 5, Replies: 5, MaxRTT: 103 * ms}}},
		{"the same reply again", timedLog(10*ms, 1, 19, 1, 19), nil},
		{"late and unanswered", timedLog(10*ms, 1, 19) + "[1700000000.029000] no answer yet for icmp_seq=2\n" + timedLog(10*ms, 2, 9),
			[]Drain{{Time: start.Add(29 * ms), Interval: 10 * ms, First: 1, Last: 2, Replies: 2, MaxRTT: 19 * ms}}},

		{"hping3", untimedLog(1, .2, 2, 99, 3, 89, 4, 79, 5, 69, 6, 59, 7, .2),
			[]Drain{{Interval: 10 * ms, First: 2, Last: 6, Replies: 5, MaxRTT: 99 * ms}}},
		{"too short to know the interval", untimedLog(1, .2, 2, 39, 3, 29, 4, 19, 5, 9, 6, .2), nil},
		{"a short one beside a long one", untimedLog(1, 25, 2, 15, 3, 5, 4, .2, 5, 45, 6, 35, 7, 25, 8, 15, 9, 5), []Drain{
			{Interval: 10 * ms, First: 1, Last: 3, Replies: 3, MaxRTT: 25 * ms},
			{Interval: 10 * ms, First: 5, Last: 9, Replies: 5, MaxRTT: 45 * ms},
		}},
		{"another slope is chance", untimedLog(1, 9, 2, 6, 3, 3, 4, .2, 5, 45, 6, 35, 7, 25, 8, 15, 9, 5),
			[]Drain{{Interval: 10 * ms, First: 5, Last: 9, Replies: 5, MaxRTT: 45 * ms}}},
		{"a late send", untimedLog(1, 60, 2, 50, 3, 40, 4, 30, 5, 20, 6, .2, 7, 54, 8, 40, 9, 30),
			[]Drain{
				{Interval: 10 * ms, First: 1, Last: 5, Replies: 5, MaxRTT: 60 * ms},
				{Interval: 12 * ms, First: 7, Last: 9, Replies: 3, MaxRTT: 54 * ms},
			}},
		{"lost packets without times", untimedLog(1, 95, 3, 75, 4, 65, 7, 35, 8, 25),
			[]Drain{{Interval: 10 * ms, First: 1, Last: 8, Replies: 5, MaxRTT: 95 * ms}}},
		{"small falls are jitter", untimedLog(1, 1, 2, .9, 3, .8, 4, .7, 5, .6, 6, .5, 7, .4), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			replies, errs := parse(t, test.log)
			if len(errs) > 0 {
				t.Error(errs)
			}
			if d := diff(test.want, Drains(replies, ms)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	log := sample(b, "ping-O-stalls")
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range Parse(strings.NewReader(log)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
