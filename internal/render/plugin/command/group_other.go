//go:build !unix

package command

import (
	"os"
	"syscall"
)

func newGroup() *syscall.SysProcAttr { return nil }

func endGroup(p *os.Process) error { return p.Kill() }

func killGroup(*os.Process) {}
