// SPDX-License-Identifier: Apache-2.0

package profile

import (
	"errors"
	"regexp/syntax"

	"github.com/google/pprof/profile"
	"github.com/ianlancetaylor/demangle"
)

// name gives functions the names that go tool pprof shows: those of the system without
// parameters, unless the profile has others.
func name(p *profile.Profile) {
	for _, f := range p.Function {
		if f.Name == "" || f.Name == f.SystemName {
			f.Name = demangled(f.SystemName)
		}
	}
}

// maxDemangled is the binary logarithm of the length to which a demangled name is cut.
const maxDemangled = 12

func demangled(system string) (name string) {
	name = system
	// Whoever wrote the file may have looked for a name that the demangler cannot bear.
	defer func() { _ = recover() }()
	return demangle.Filter(system, demangle.NoParams, demangle.NoEnclosingParams, demangle.NoTemplateParams, demangle.MaxLength(maxDemangled))
}

// errDropFrames says that a file means harm.
var errDropFrames = errors.New("its drop_frames or keep_frames take too long to match with so many functions")

// Bounds of the expressions in a profile: instructions, and instructions times letters to
// match, which take up to 10 ns each.
const (
	maxInstructions = 20_000
	maxSteps        = 300_000_000
)

// dropFrames leaves out what the profile says is of no interest. An expression that
// cannot be read leaves out nothing, as in go tool pprof.
func dropFrames(p *profile.Profile) error {
	letters := 0
	for _, f := range p.Function {
		letters += len(f.Name)
	}
	for _, expression := range []string{p.DropFrames, p.KeepFrames} {
		parsed, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			continue
		}
		if n := instructions(parsed); n > maxInstructions || n*letters > maxSteps*(1+letters>>20) {
			return errDropFrames
		}
	}
	_ = p.RemoveUninteresting()
	return nil
}

// instructions returns about how many an expression becomes, or one more than are allowed.
func instructions(re *syntax.Regexp) int {
	n := 1 + len(re.Rune)
	for _, sub := range re.Sub {
		n += instructions(sub)
	}
	if re.Op == syntax.OpRepeat {
		n *= max(1, re.Min, re.Max)
	}
	return min(n, maxInstructions+1)
}
