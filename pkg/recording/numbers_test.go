// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNumbers(t *testing.T) {
	type lists struct {
		Single numbers[int, framesBound]
		Pairs  numbers[[2]uint64, framesBound]
		Counts numbers[[4]uint64, framesBound]
	}
	for text, want := range map[string]lists{
		`{}`:                           {},
		`{"Single":null,"Pairs":null}`: {},
		`{"Single":[],"Pairs":[]}`:     {Single: []int{}, Pairs: [][2]uint64{}},
		`{"Single":[0]}`:               {Single: []int{0}},
		`{"Single":[ 7 , 18446744073709551615 ]}`:            {Single: []int{7, 1<<63 - 1}},
		"{\"Pairs\":[[1,2],\n[ 3 ,\t18446744073709551615]]}": {Pairs: [][2]uint64{{1, 2}, {3, 1<<64 - 1}}},
		`{"Counts":[[1,2,3],[],[1,2,3,4]]}`:                  {Counts: [][4]uint64{{1, 2, 3}, {}, {1, 2, 3, 4}}},
	} {
		var got lists
		if err := unmarshal([]byte(text), &got); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
	for text, want := range map[string]string{
		`{"Single":7}`:                      "no list",
		`{"Single":{"a":1}}`:                "no list",
		`{"Single":[-1]}`:                   "no whole number",
		`{"Single":[1.5]}`:                  "no whole number",
		`{"Single":[1e3]}`:                  "no whole number",
		`{"Single":[18446744073709551616]}`: "no whole number",
		`{"Single":["1"]}`:                  "no whole number",
		`{"Single":[null]}`:                 "no whole number",
		`{"Single":[[1]]}`:                  "no whole number",
		`{"Pairs":[[1,2,3]]}`:               "list of more than 2",
		`{"Pairs":[[1,[2]]]}`:               "no whole number",
		`{"Pairs":[1,2]}`:                   "no list",
		`{"Single":[1` + strings.Repeat(",1", 256) + `]}`: "list of more than 256",
	} {
		var got lists
		if err := unmarshal([]byte(text), &got); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, error %v, want %q", text, got, err, want)
		}
	}
}
