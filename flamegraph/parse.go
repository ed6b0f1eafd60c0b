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
var ErrUTF16 = errors.New("text is UTF-16, not UTF-8")

var errTotal = fmt.Errorf("total exceeds %d", ^uint64(0))

// Parse reads folded stacks: one stack a line, frames root first with a
// semicolon between them, then a space or tab and a whole number.
//
//	[softirq];net_rx_action;tcp_v4_rcv 12
//
// Blank lines and comments, which start with "# ", are skipped, and so is a
// byte order mark of UTF-8. Lines end in LF or CRLF. A semicolon within
// brackets that a space follows, as in [u8; 4], belongs to the frame. A line
// that cannot be read is left out and reported in the second result, in order.
//
// The error is that of reading r, or ErrUTF16; the other results are then nil.
func Parse(r io.Reader) ([]Sample, []LineError, error) {
	in := bufio.NewReaderSize(r, 1<<18)
	if err := skipMark(in); err != nil {
		return nil, nil, fmt.Errorf("read folded stacks: %w", err)
	}
	var (
		samples  []Sample
		problems []LineError
		total    uint64
		long     []byte
	)
	frames := framer{names: make(map[string]string)}
	for number := 1; ; number++ {
		line, err := readLine(in, &long)
		if err == io.EOF {
			return samples, problems, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read folded stacks: line %d: %w", number, err)
		}
		stack, value, err := splitLine(line)
		if err == nil && stack != nil {
			sum, carry := bits.Add64(total, value, 0)
			if carry == 0 {
				total = sum
				samples = append(samples, Sample{Stack: frames.split(stack), Value: value})
				continue
			}
			err = errTotal
		}
		if err != nil {
			problems = append(problems, LineError{Line: number, Err: err})
		}
	}
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
