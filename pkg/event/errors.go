// SPDX-License-Identifier: Apache-2.0

package event

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// CutError says that a recording has no end: it was still being written, the
// recorder was killed, or the file lost its tail. What was read stands.
type CutError struct {
	Line int           // the last line that is whole, from 1
	At   time.Duration // time of the last event since the start
}

func (e *CutError) Error() string {
	return fmt.Sprintf("recording was cut short after line %d, %s into it", e.Line, e.At.Round(time.Millisecond))
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *CutError) Unwrap() error { return io.ErrUnexpectedEOF }

// AsCut returns the *CutError in an error, if that is what it is.
func AsCut(err error) (*CutError, bool) {
	var cut *CutError
	ok := errors.As(err, &cut)
	return cut, ok
}

// CorruptError says where a recording is damaged. What was read before stands.
type CorruptError struct {
	Line   int   // from 1
	Offset int64 // of the line in the uncompressed recording, bytes
	Err    error
}

// Error quotes no more than a part of what Err quotes: a line may have a megabyte.
func (e *CorruptError) Error() string {
	const most = 400
	text := e.Err.Error()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return fmt.Sprintf("recording is damaged at line %d (offset %d uncompressed): %s", e.Line, e.Offset, text)
}

func (e *CorruptError) Unwrap() error { return e.Err }
