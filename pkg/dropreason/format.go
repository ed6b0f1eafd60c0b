// SPDX-License-Identifier: Apache-2.0

package dropreason

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// ReadFormat reads the drop reasons of a kernel without BTF from the format file of
// skb:kfree_skb in tracefs, mounted below root, os.DirFS("/") for the running kernel. It
// wants root's privileges, as tracefs does. The error matches fs.ErrNotExist where
// tracefs is not mounted and fs.ErrPermission where it is closed; else it is FromFormat's.
func ReadFormat(root fs.FS) (names *Names, stated bool, err error) {
	const format = "/events/skb/kfree_skb/format"
	text, err := fs.ReadFile(root, "sys/kernel/tracing"+format)
	if errors.Is(err, fs.ErrNotExist) { // where debugfs brings it along
		text, err = fs.ReadFile(root, "sys/kernel/debug/tracing"+format)
	}
	if err != nil {
		return nil, false, fmt.Errorf("read format of skb:kfree_skb: %w", err)
	}
	return FromFormat(string(text))
}

// FromFormat reads the core's drop reasons from the format file of skb:kfree_skb. They
// are those that the kernel's BTF has; subsystems and their reasons are not in the file. It
// also says whether the kernel states reasons at all, by a field of the record (5.17).
//
// A kernel may state reasons and name none, as one that prints drop_reasons[REC->reason]
// (ec43908dd556), or leave an enumerator's own name where its value belongs, if it lacks
// TRACE_DEFINE_ENUM. Such reasons have no name in Names, and stay visible as numbers.
// A file that has no print fmt or is damaged is an error.
func FromFormat(text string) (names *Names, stated bool, err error) {
	shown := ""
	for line := range strings.Lines(text) {
		if field, ok := strings.CutPrefix(line, "\tfield:"); ok {
			declared, _, _ := strings.Cut(field, ";")
			stated = stated || strings.HasSuffix(declared, " reason")
		}
		if rest, ok := strings.CutPrefix(line, "print fmt: "); ok {
			shown = rest
		}
	}
	if shown == "" {
		return nil, false, errors.New("read format of skb:kfree_skb: no print fmt in it")
	}
	_, table, named := strings.Cut(shown, "__print_symbolic(REC->reason,")
	if !stated || !named {
		return new(Names), stated, nil
	}
	found, err := symbolic(table)
	if err != nil {
		return nil, false, fmt.Errorf("read format of skb:kfree_skb: %w", err)
	}
	return newNames(found, nil), true, nil
}

// tableEntry is an entry of the table, with the comma or the bracket that follows it.
// Names are what the preprocessor made of enumerators (DEFINE_DROP_REASON).
var tableEntry = regexp.MustCompile(`^\s*\{\s*([^{}",\s][^{}",]*?)\s*,\s*"(\w+)"\s*\}\s*([,)])`)

// symbolic reads what follows the first argument of __print_symbolic: entries such as
// { 2, "NOT_SPECIFIED" }, up to the closing bracket.
func symbolic(table string) (map[uint32]string, error) {
	names := make(map[uint32]string)
	for {
		entry := tableEntry.FindStringSubmatch(table)
		if entry == nil {
			return nil, fmt.Errorf("invalid table of reasons at %.40q", table)
		}
		if code, err := strconv.ParseUint(entry[1], 0, 32); err == nil {
			name, ok := coreReason(Enumerator{Name: corePrefix + entry[2], Value: code})
			if _, known := names[uint32(code)]; ok && !known { // the kernel shows the first one
				names[uint32(code)] = name
			}
		}
		if entry[3] == ")" {
			return names, nil
		}
		table = table[len(entry[0]):]
	}
}
