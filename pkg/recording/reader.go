// SPDX-License-Identifier: Apache-2.0

package recording

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/dropwatch/dropwatch/pkg/event"
)

// ErrNotRecording is wrapped by the error for files of another kind.
var ErrNotRecording = errors.New("not a dropwatch recording")

// Reader is an event.Source that reads a recording.
type Reader struct {
	meta   event.Meta
	lines  *bufio.Reader
	zstd   *zstd.Decoder // nil if the recording is not compressed
	long   []byte
	line   int
	offset int64
	at     time.Duration
	ended  bool
	err    error // returned from now on
	room   allowance
	tables
	counted  sums   // by ticks
	sampled  uint64 // drops that samples stand for
	absences absences
	drop     event.Drop
	text     dropLine
	tick     event.Tick
	end      event.End
}

// NewReader begins to read a recording, compressed or not.
func NewReader(r io.Reader) (*Reader, error) {
	counted := &countingReader{Reader: r}
	in := &Reader{lines: bufio.NewReaderSize(counted, 64<<10)}
	in.gone = map[int]struct{}{}
	in.room.read = func() int64 { return counted.n }
	magic, _ := in.lines.Peek(4) // a shorter file fails below
	if bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		decoder, err := zstd.NewReader(in.lines, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("decompress recording: %w", err)
		}
		in.zstd, in.lines = decoder, bufio.NewReaderSize(decoder, 64<<10)
	}
	if err := in.header(); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// countingReader counts what is read.
type countingReader struct {
	io.Reader
	n int64
}

func (r *countingReader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.n += int64(n)
	return n, err
}

// Close frees memory. It leaves the underlying reader open.
func (r *Reader) Close() {
	if r.zstd != nil {
		r.zstd.Close()
	}
}

// Meta implements event.Source.
func (r *Reader) Meta() *event.Meta { return &r.meta }

func (r *Reader) header() error {
	line, err := r.next()
	var cut *event.CutError
	switch {
	case errors.As(err, &cut) && len(r.long) == 0:
		return fmt.Errorf("%w: the file is empty", ErrNotRecording)
	case err != nil && r.zstd == nil:
		return fmt.Errorf("%w: %w", ErrNotRecording, err)
	case err != nil:
		return err
	}
	if err := checkLine("header", len(line)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotRecording, err)
	}
	var header headerLine
	if err := json.Unmarshal(line, &header); err != nil || header.Type != "header" {
		return fmt.Errorf("%w: line 1 is no header", ErrNotRecording)
	}
	if header.Schema < 1 || header.Schema > Schema {
		return fmt.Errorf("recording has schema %d, this dropwatch reads up to %d", header.Schema, Schema)
	}
	r.meta, r.schema = printable(header.Meta), header.Schema
	return nil
}

// printable escapes the texts of a header, which anybody may have written.
func printable(m event.Meta) event.Meta {
	for _, text := range []*string{&m.Version, &m.Kernel, &m.BuildID, &m.Arch, &m.Host} {
		*text = event.Printable(*text)
	}
	for _, list := range [][]string{m.Command, m.Notes} {
		for i := range list {
			list[i] = event.Printable(list[i])
		}
	}
	for i := range m.Hooks {
		m.Hooks[i] = event.Hook{Name: event.Printable(m.Hooks[i].Name), Rung: event.Printable(m.Hooks[i].Rung)}
	}
	return m
}

// Next implements event.Source. After events it returns io.EOF, an *event.CutError
// or an *event.CorruptError.
func (r *Reader) Next() (event.Event, error) {
	for r.err == nil {
		line, err := r.next()
		if err != nil {
			r.err = err
			break
		}
		r.cost = lineCost
		e, err := r.parse(line)
		if err == nil {
			err = r.room.take(line, r.cost, e)
		}
		if err != nil {
			r.err = r.corrupt(err)
			break
		}
		if e != nil {
			return e, nil
		}
	}
	return nil, r.err
}

func (r *Reader) corrupt(err error) error {
	return &event.CorruptError{Line: r.line, Offset: r.offset, Err: err}
}

// next returns the next line, without its newline, until the following call.
func (r *Reader) next() ([]byte, error) {
	r.offset += int64(len(r.long))
	r.long = r.long[:0]
	for {
		part, err := r.lines.ReadSlice('\n')
		r.long = append(r.long, part...)
		switch {
		case err == nil:
			r.line++
			return r.long[:len(r.long)-1], nil
		case errors.Is(err, bufio.ErrBufferFull):
			if len(r.long) > maxLine {
				r.line++
				return nil, r.corrupt(fmt.Errorf("line of more than %d bytes", maxLine))
			}
			continue
		case errors.Is(err, io.EOF) && r.ended && len(r.long) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil, &event.CutError{Line: r.line, At: r.at}
		case errors.As(err, new(*fs.PathError)):
			return nil, err // the file cannot be read; what it holds is not to blame
		}
		r.line++
		return nil, r.corrupt(err)
	}
}

// parse returns the event of a line, or nil for a line that events refer to.
func (r *Reader) parse(line []byte) (event.Event, error) {
	if r.ended {
		return nil, errors.New("a line follows the end")
	}
	if bytes.HasPrefix(line, []byte(`{"type":"drop",`)) && len(line) <= maxEvent {
		return r.parseDrop(line)
	}
	kind, err := kindOf(line)
	if err != nil {
		return nil, err
	}
	if err := checkLine(kind, len(line)); err != nil {
		return nil, err
	}
	switch kind {
	case "drop":
		return r.parseDrop(line)
	case "frame":
		return nil, r.addFrame(line)
	case "stack":
		return nil, r.addStack(line)
	case "cell":
		return nil, r.addCell(line)
	case "counter":
		return nil, r.addCounter(line)
	case "counters":
		return r.parseCounters(line)
	case "tick":
		return r.parseTick(line)
	case "window":
		return r.parseWindow(line)
	case "sample":
		return r.parseSample(line)
	case "late", "echo":
		return r.parsePacket(line)
	case "end":
		return r.parseEnd(line)
	}
	return nil, fmt.Errorf("line of type %q", kind)
}

// kindOf returns the type of a line. It is the first member where this package wrote it.
func kindOf(line []byte) (string, error) {
	if rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`)); ok {
		if end := bytes.IndexByte(rest[:min(len(rest), 16)], '"'); end >= 0 && bytes.IndexByte(rest[:end], '\\') < 0 {
			return string(rest[:end]), nil
		}
	}
	var kind struct{ Type string }
	err := json.Unmarshal(line, &kind)
	return kind.Type, err
}
