package ociregistry

import (
	"os/exec"
	"syscall"
)

func endWithParent(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
