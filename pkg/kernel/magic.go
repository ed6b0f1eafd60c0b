// SPDX-License-Identifier: Apache-2.0

package kernel

// Magic numbers of file systems, as statfs(2) returns them; include/uapi/linux/magic.h.
const (
	CgroupMagic  = 0x27e0eb   // CGROUP_SUPER_MAGIC
	Cgroup2Magic = 0x63677270 // CGROUP2_SUPER_MAGIC
)
