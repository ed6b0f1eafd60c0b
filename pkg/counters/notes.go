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

// maxNotes bounds the notes; there are fewer kinds of failures.
const maxNotes = 64

// add keeps the first error of each kind. Errors are of one kind if their texts up to the first
// colon and their causes are equal. The place is not part of the kind, because namespaces come
// and go.
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
