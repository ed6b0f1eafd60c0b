// SPDX-License-Identifier: Apache-2.0

package recording_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
)

// Counts in ticks are exact; samples, which are events of type Drop, add stacks and packets.
func Example() {
	file, err := os.Open("../../testdata/recordings/lab.jsonl.zst")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	reader, err := recording.NewReader(file)
	if err != nil {
		log.Fatal(err)
	}
	drops := map[string]uint64{}
	for {
		e, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if cut, ok := event.AsCut(err); ok {
			log.Print(cut) // what was read before is right
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		if tick, ok := e.(*event.Tick); ok {
			for _, c := range tick.Counts {
				drops[c.Cell.Reason.Name] += c.Drops
			}
		}
	}
	most := slices.SortedFunc(maps.Keys(drops), func(a, b string) int {
		return cmp.Or(cmp.Compare(drops[b], drops[a]), cmp.Compare(a, b))
	})
	for _, reason := range most[:3] {
		fmt.Println(drops[reason], reason)
	}
	// Output:
	// 2000 UNHANDLED_PROTO
	// 80 NO_SOCKET
	// 60 IP_INHDR
}
