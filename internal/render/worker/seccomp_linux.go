//go:build linux && (amd64 || arm64)

package worker

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// denied are the system calls that a renderer has no use for: network, programs, other processes, and the kernel's
// large and rarely needed parts.
func denied() []uint32 {
	return append([]uint32{
		unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_BIND, unix.SYS_CONNECT, unix.SYS_LISTEN,
		unix.SYS_EXECVE, unix.SYS_EXECVEAT,
		unix.SYS_KILL, unix.SYS_PIDFD_OPEN, unix.SYS_PIDFD_SEND_SIGNAL, unix.SYS_PIDFD_GETFD,
		unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP,
		unix.SYS_IO_URING_SETUP, unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD,
		unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT,
		unix.SYS_KEYCTL, unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY,
	}, deniedHere()...)
}

// Fields of the data that a filter sees.
const (
	offsetCall         = 0
	offsetArchitecture = 4
	offsetFlags        = 16 // the first argument of clone
)

// denySystemCalls makes them fail with EPERM in all threads. Where the kernel has no filters it changes nothing.
func denySystemCalls() {
	const (
		load   = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
		equal  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
		above  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
		bits   = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
		give   = unix.BPF_RET | unix.BPF_K
		refuse = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
		absent = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	)
	program := []unix.SockFilter{
		{Code: load, K: offsetArchitecture},
		{Code: equal, K: architecture, Jt: 1},
		{Code: give, K: refuse},
		{Code: load, K: offsetCall},
		{Code: above, K: foreignCalls, Jf: 1},
		{Code: give, K: refuse},
		// Threads may be started, processes may not. What clone3 wants cannot be seen; without it, clone is used.
		{Code: equal, K: unix.SYS_CLONE3, Jf: 1},
		{Code: give, K: absent},
		{Code: equal, K: unix.SYS_CLONE, Jf: 4},
		{Code: load, K: offsetFlags},
		{Code: bits, K: unix.CLONE_THREAD, Jt: 1},
		{Code: give, K: refuse},
		{Code: give, K: unix.SECCOMP_RET_ALLOW},
	}
	for _, call := range denied() {
		program = append(program, unix.SockFilter{Code: equal, K: call, Jf: 1}, unix.SockFilter{Code: give, K: refuse})
	}
	program = append(program, unix.SockFilter{Code: give, K: unix.SECCOMP_RET_ALLOW})
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, _ = unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&filter))) //nolint:gosec // how a system call takes it
}
