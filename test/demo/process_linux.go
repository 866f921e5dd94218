package main

import "syscall"

// ownGroup puts a program into a process group of its own; should the demo be killed, the kernel ends the program too.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
