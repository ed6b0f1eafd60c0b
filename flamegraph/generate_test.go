// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// profile describes folded stacks to generate, always the same for the same
// profile.
type profile struct {
	stacks, names int
	depth, fresh  int // mean depth, and mean number of frames no other stack has
	nameLen       int // mean length of a name
}

// folded returns the stacks in random order.
func (p profile) folded() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	names := make([]string, p.names)
	for i := range names {
		names[i] = word(r, p.nameLen) + "_" + strconv.FormatInt(int64(i), 36)
	}
	// Names of real programs are used very unevenly.
	zipf := rand.NewZipf(r, 1.05, 20, uint64(p.names-1))
	var stack []string
	lines := make([]string, 0, p.stacks)
	seen := make(map[string]bool, p.stacks)
	for len(lines) < p.stacks {
		fresh := 1 + r.IntN(2*p.fresh)
		keep := max(0, min(len(stack), p.depth-fresh/2-r.IntN(p.depth/2)))
		stack = stack[:keep]
		for range fresh {
			stack = append(stack, names[zipf.Uint64()])
		}
		line := strings.Join(stack, ";")
		if !seen[line] {
			seen[line] = true
			lines = append(lines, line)
		}
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	var out bytes.Buffer
	for i, line := range lines {
		fmt.Fprintf(&out, "%s %d\n", line, 1+1_000_000/(i+1)+r.IntN(20))
	}
	return out.Bytes()
}

// word returns a name like those of kernel functions.
func word(r *rand.Rand, length int) string {
	const syllables = "netiptcpudpskbrcvxmitqdiscnapihooknftforwarddevbrsockdequeue"
	var b strings.Builder
	for b.Len() < length-4+r.IntN(5) {
		at := r.IntN(len(syllables) - 5)
		b.WriteString(syllables[at : at+2+r.IntN(4)])
		if r.IntN(3) == 0 {
			b.WriteByte('_')
		}
	}
	return b.String()
}
