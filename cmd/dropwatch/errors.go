// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/pkg/event"
	"github.com/dropwatch/dropwatch/pkg/recording"
	"github.com/dropwatch/dropwatch/pkg/trace"
)

// Exit statuses, as docs/architecture.md promises them.
const (
	statusDone = iota
	statusFailed
	statusUsage
	statusKernel
	statusPrivilege
	statusThreshold
)

// usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// thresholdError says that a threshold that the user gave was crossed.
type thresholdError struct{ error }

func (e thresholdError) Unwrap() error { return e.error }

// commandError is the status of a command that was recorded, or of what was said already.
type commandError struct{ status int }

func (e commandError) Error() string {
	return fmt.Sprintf("the command ended with status %d", e.status)
}

// status returns the exit status for an error.
func status(err error) int {
	var usage usageError
	var command commandError
	switch {
	case err == nil:
		return statusDone
	case readerGone(err):
		return 128 + int(unix.SIGPIPE)
	case errors.As(err, &command):
		return command.status
	case errors.As(err, new(thresholdError)):
		return statusThreshold
	case errors.As(err, &usage):
		return statusUsage
	case errors.As(err, new(*trace.DeniedError)):
		return statusPrivilege
	case isUnsupported(err), isRefused(err), errors.Is(err, errNotLinux):
		return statusKernel
	}
	return statusFailed
}

var (
	errAttach   = errors.New("cannot trace this kernel")
	errNotLinux = errors.New("needs a Linux kernel")
)

// complain prints an error, and what to do about it if that is known.
func complain(w io.Writer, err error) {
	if errors.As(err, new(commandError)) || readerGone(err) {
		return
	}
	fmt.Fprintf(w, "error: %s\n", printable(err.Error()))
	if hint := hint(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
}

// printable escapes what a text quotes of a file or of its name, and keeps its lines.
func printable(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		parts := strings.Split(line, "\t")
		for j := range parts {
			parts[j] = event.Printable(parts[j])
		}
		lines[i] = strings.Join(parts, "\t")
	}
	return strings.Join(lines, "\n")
}

// grantHint says who can grant what is missing.
func grantHint(denied *trace.DeniedError) string {
	names := make([]string, len(denied.Missing))
	for i, c := range denied.Missing {
		names[i] = c.String()
	}
	missing := strings.Join(names, " and ")
	switch {
	case missing == "":
		return denied.Remedy
	case os.Geteuid() == 0:
		return "root lacks it here, as in a container: grant the container " + missing
	}
	return "run with sudo, or grant " + missing + "; see docs/privileges.md"
}

func hint(err error) string {
	var reason *unknownReasonError
	var denied *trace.DeniedError
	switch {
	case errors.As(err, &reason):
		return reason.hint()
	case errors.As(err, &denied):
		return grantHint(denied)
	case errors.Is(err, trace.ErrNoTypes):
		return "--btf FILE reads the kernel's types from a file, as vmlinux of its debug package"
	case isUnsupported(err):
		return "needs Linux 5.10 or newer"
	case errors.Is(err, errNotLinux):
		return "run it on the node, or record there and copy the file here: every other command reads it"
	case errors.Is(err, recording.ErrNotRecording):
		return "dropwatch record writes what this command reads"
	case errors.Is(err, errNoDefault):
		return "record one with: sudo dropwatch record"
	}
	return ""
}
