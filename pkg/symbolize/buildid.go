// SPDX-License-Identifier: Apache-2.0

package symbolize

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
)

// BuildID returns the GNU build ID in ELF notes such as /sys/kernel/notes, in hexadecimal.
// It returns an empty string if the notes have no build ID.
func BuildID(notes []byte) string {
	const gnuBuildID = 3 // NT_GNU_BUILD_ID, elf.h
	align := func(n uint32) int { return int(n+3) &^ 3 }
	for len(notes) >= 12 {
		nameSize := binary.NativeEndian.Uint32(notes)
		descSize := binary.NativeEndian.Uint32(notes[4:])
		kind := binary.NativeEndian.Uint32(notes[8:])
		notes = notes[12:]
		if nameSize > 1<<16 || descSize > 1<<16 || align(nameSize)+align(descSize) > len(notes) {
			return ""
		}
		desc := notes[align(nameSize):][:descSize]
		if kind == gnuBuildID && bytes.Equal(notes[:nameSize], []byte("GNU\x00")) {
			return hex.EncodeToString(desc)
		}
		notes = notes[align(nameSize)+align(descSize):]
	}
	return ""
}
