// SPDX-License-Identifier: Apache-2.0

package kernel

import "strings"

// TakesDescriptor reports whether the first argument of a system call is a descriptor of
// the file, socket or process that it works on. Calls that take the descriptor of a
// directory to look a name up in do not count: the directory is not what they work on.
func TakesDescriptor(syscall string) bool { return descriptorFirst[syscall] }

var descriptorFirst = wordSet(`
	read write close fstat lseek ioctl pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2
	dup dup2 dup3 fcntl flock fsync fdatasync sync_file_range syncfs ftruncate fallocate readahead
	fadvise64 getdents getdents64 fchdir fchmod fchown fstatfs fgetxattr fsetxattr flistxattr fremovexattr
	sendfile splice tee vmsplice copy_file_range cachestat
	connect accept accept4 bind listen shutdown getsockname getpeername getsockopt setsockopt
	sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg
	epoll_ctl epoll_wait epoll_pwait epoll_pwait2 inotify_add_watch inotify_rm_watch fanotify_mark
	timerfd_settime timerfd_gettime signalfd signalfd4 io_uring_enter io_uring_register
	mq_timedsend mq_timedreceive mq_notify mq_getsetattr pidfd_send_signal pidfd_getfd
	process_madvise process_mrelease setns finit_module kexec_file_load
	fsconfig fsmount landlock_add_rule landlock_restrict_self quotactl_fd
`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}
