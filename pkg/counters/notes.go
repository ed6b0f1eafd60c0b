// SPDX-License-Identifier: Apache-2.0

package counters

import (
	"errors"
	"slices"
	"strings"
)

// notes says why counters are missing.
type notes struct {
	texts []string
	kinds map[string]bool
}

// maxNotes is more than there are kinds of failure.
const maxNotes = 64

// add keeps the first error of a kind: of those that begin alike, up to a colon, and have
// the same cause. The place is left to the first, since namespaces come and go.
func (n *notes) add(err error) {
	what, _, _ := strings.Cut(err.Error(), ":")
	kind := what + ": " + cause(err).Error()
	if n.kinds[kind] || len(n.texts) == maxNotes {
		return
	}
	if n.kinds == nil {
		n.kinds = map[string]bool{}
	}
	n.kinds[kind] = true
	n.texts = append(n.texts, err.Error())
}

func (n *notes) all() []string { return slices.Clone(n.texts) }

func cause(err error) error {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return err
}
