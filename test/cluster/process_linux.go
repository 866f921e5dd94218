package cluster

import (
	"runtime"
	"syscall"
)

// attributes make the child end with this process, however it ends, and keep
// a Ctrl-C in the terminal from reaching it: who started it stops it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}

// holdThread keeps the calling goroutine on its thread. Pdeathsig is sent when
// the thread that started the child ends, not the process.
func holdThread() (unlock func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
