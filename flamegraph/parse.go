// SPDX-License-Identifier: Apache-2.0

package flamegraph

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"
)

// ErrUTF16 is returned by Parse for text in UTF-16, which it does not convert.
var ErrUTF16 = errors.New("text is UTF-16, not UTF-8: convert it, as iconv -f UTF-16 -t UTF-8 does")

var errTotal = fmt.Errorf("total exceeds %d", ^uint64(0))

// Parse reads folded stacks: one stack a line, frames root first with a
// semicolon between them, then a space or tab and a number.
//
//	[softirq];net_rx_action;tcp_v4_rcv 12
//
// A number may have a point and digits after it, of which nine are kept, as long as
// the total is below 2^53. Where most lines end in two numbers all of them are taken
// for a count before a change and one after it, as difffolded.pl writes them.
//
// Blank lines and comments, which start with "# ", are skipped, and so is a
// byte order mark of UTF-8. Lines end in LF or CRLF. A semicolon within
// brackets that a space follows, as in [u8; 4], belongs to the frame. A line
// that cannot be read is left out and counted.
//
// The error is that of reading r, ErrUTF16, that exactly half of the lines end in two
// numbers, or that two counts a line add up to more than a uint64 holds; the result is
// then nil.
func Parse(r io.Reader) (*Folded, error) {
	in := bufio.NewReaderSize(r, 1<<18)
	if err := skipMark(in); err != nil {
		return nil, fmt.Errorf("read folded stacks: %w", err)
	}
	p := newParser()
	var long []byte
	for number := 1; ; number++ {
		line, err := readLine(in, &long)
		if err == io.EOF {
			return p.finish()
		}
		if err != nil {
			return nil, fmt.Errorf("read folded stacks: line %d: %w", number, err)
		}
		p.line(number, bytes.TrimRight(line, " \t\r\n"))
	}
}

// parser collects stacks until it is known what their counts are.
type parser struct {
	folded Folded
	frames framer
	counts []decimal
	total  uint64 // of all counts, each rounded up
	two    int    // stacks with two counts
	single []LineError
}

func newParser() *parser { return &parser{frames: framer{names: make(map[string]string)}} }

func (p *parser) line(number int, line []byte) {
	stack, c, err := splitLine(line)
	switch {
	case err == nil && stack == nil:
		return
	case err == nil:
		total, carry := bits.Add64(p.total, c.ceil(), 0)
		if carry != 0 {
			err = errTotal
			break
		}
		p.total = total
	}
	if err != nil {
		p.folded.Left++
		p.folded.LeftCount += magnitude(lastField(line), err)
		if len(p.folded.Problems) < mostProblems {
			p.folded.Problems = append(p.folded.Problems, LineError{number, lineProblem(err, line)})
		}
		return
	}
	if _, _, ok := cutBefore(stack[bytes.LastIndexByte(stack, ';')+1:]); ok {
		p.two++
	} else if len(p.single) < mostProblems {
		p.single = append(p.single, LineError{number, lineProblem(errOneCount, line)})
	}
	p.folded.Samples = append(p.folded.Samples, Sample{Stack: p.frames.split(stack)})
	p.counts = append(p.counts, c)
}

// errOneCount is what is wrong with a line among others that have two counts.
var errOneCount = errors.New("one count where others have two")

// finish gives the stacks their values.
func (p *parser) finish() (*Folded, error) {
	f := &p.folded
	if p.two > 0 && 2*p.two == len(f.Samples) {
		return nil, errTwoCounts
	}
	f.TwoCounts = 2*p.two > len(f.Samples)
	if f.TwoCounts {
		return p.compare()
	}
	f.Digits = digitsFor(p.counts)
	for i, c := range p.counts {
		f.Samples[i].Value = c.at(f.Digits)
	}
	return f, nil
}

// skipMark discards a byte order mark of UTF-8 and refuses UTF-16, with a mark
// or recognised by the zero bytes between its first letters.
func skipMark(in *bufio.Reader) error {
	head, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return ErrUTF16
	}
	if len(head) == 4 {
		even, odd := head[0] == 0 && head[2] == 0, head[1] == 0 && head[3] == 0
		if even != odd {
			return ErrUTF16
		}
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, err = in.Discard(3)
		return err
	}
	return nil
}

// readLine returns the next line without its end, valid until the next call,
// or io.EOF after the last. long is kept for lines that exceed in's buffer.
func readLine(in *bufio.Reader, long *[]byte) ([]byte, error) {
	*long = (*long)[:0]
	for {
		part, err := in.ReadSlice('\n')
		if err == nil && len(*long) == 0 {
			return part, nil
		}
		*long = append(*long, part...)
		switch {
		case err == nil, err == io.EOF && len(*long) > 0:
			return *long, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}
