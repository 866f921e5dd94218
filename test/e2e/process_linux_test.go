package e2e

import (
	"runtime"
	"syscall"
)

// attributes make a program end with this process, however it ends, and keep a
// Ctrl-C in the terminal from reaching it: the tests stop it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// holdThread keeps the calling goroutine on its thread: Pdeathsig is sent when
// the thread that started the program ends, not the process.
func holdThread() (unlock func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
