// SPDX-License-Identifier: Apache-2.0

package kernelreason

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/dropwatch/dropwatch/internal/lab/labtest"
	"github.com/dropwatch/dropwatch/pkg/dropreason"
)

// TestFormatOfThisKernel reads the core's reasons from tracefs, the same as from BTF.
func TestFormatOfThisKernel(t *testing.T) {
	labtest.NeedRoot(t)
	root := t.TempDir()
	tracing := filepath.Join(root, "sys/kernel/tracing")
	if err := os.MkdirAll(tracing, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("none", tracing, "tracefs", 0, ""); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(tracing, unix.MNT_DETACH)
	names, stated, err := dropreason.ReadFormat(os.DirFS(root))
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := FromBTF(kernelSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	var want []dropreason.Reason
	for _, r := range kernel.All() {
		if r.Code>>16 == 0 {
			want = append(want, r)
		}
	}
	if diff := cmp.Diff(want, names.All()); diff != "" {
		t.Errorf("of BTF and of the format (-want +got):\n%s", diff)
	}
	if stated != (len(want) > 0) {
		t.Errorf("reasons are stated: %t; BTF has %d", stated, len(want))
	}
	t.Logf("%d reasons", len(names.All()))
}
