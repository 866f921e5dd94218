package worker

import "golang.org/x/sys/unix"

const (
	architecture = unix.AUDIT_ARCH_X86_64
	// foreignCalls begin with the numbers of the x32 interface.
	foreignCalls = 0x40000000
)

func deniedHere() []uint32 { return []uint32{unix.SYS_FORK, unix.SYS_VFORK} }
