// SPDX-License-Identifier: Apache-2.0

package stackfile

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	pprof "github.com/google/pprof/profile"
)

// errLarge says that a profile is not read.
var errLarge = errors.New("a profile of that size cannot have so many parts")

// PProf reads a file that is a profile, in any format that go tool pprof reads, without
// the labels of its samples, but those that tell the base of a difference.
func (f *File) PProf() (*pprof.Profile, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	most := profileRoom(f.packed.n)
	if is, err := isProto(data, true); err != nil {
		return nil, err
	} else if is {
		data = withoutLabels(data)
		if cost(data) > most {
			return nil, errLarge
		}
		return parseProto(data)
	}
	data = withoutMappings(data)
	if cost(data) > most {
		return nil, errLarge
	}
	p, err := pprof.ParseData(data)
	if err != nil {
		return nil, err
	}
	nameByComments(p, data)
	return p, nil
}

// parseProto is pprof.ParseData, which takes what it cannot decode for an older format and
// says that it is none.
func parseProto(data []byte) (*pprof.Profile, error) {
	p, err := pprof.ParseUncompressed(data)
	if err != nil {
		return nil, fmt.Errorf("parsing profile: %w", err)
	}
	if err := p.CheckValid(); err != nil {
		return nil, fmt.Errorf("malformed profile: %w", err)
	}
	return p, nil
}

// IsBase reports whether a sample is of the base of a difference of profiles.
func IsBase(s *pprof.Sample) bool { return len(s.Label[baseLabel]) > 0 }

// nameByComments names locations by comments, as Go writes with debug=1, which give each
// address with the functions there, the innermost first.
func nameByComments(p *pprof.Profile, data []byte) {
	names := map[uint64][]string{}
	last := uint64(0)
	for _, line := range functionLine.FindAllSubmatch(data, -1) {
		address, err := strconv.ParseUint(string(line[1]), 16, 64)
		if err != nil {
			continue
		}
		if names[address] == nil || address == last {
			names[address] = append(names[address], string(line[2]))
			last = address
			continue
		}
		last = 0
	}
	functions := map[string]*pprof.Function{}
	for _, l := range p.Location {
		if len(l.Line) > 0 {
			continue
		}
		for _, name := range names[l.Address] {
			if functions[name] == nil {
				functions[name] = &pprof.Function{ID: uint64(len(p.Function) + 1), Name: name, SystemName: name}
				p.Function = append(p.Function, functions[name])
			}
			l.Line = append(l.Line, pprof.Line{Function: functions[name]})
		}
	}
}
