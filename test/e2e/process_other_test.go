//go:build unix && !linux

package e2e

import "syscall"

func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func holdThread() (unlock func()) { return func() {} }
