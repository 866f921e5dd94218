//go:build !linux

package worker

import (
	"os"
	"syscall"
)

// childAttributes are the system's usual ones. The worker ends with its parent because its standard input does.
func childAttributes() *syscall.SysProcAttr { return nil }

func killGroup(p *os.Process) { _ = p.Kill() } // it may have ended already

// confineThread has no means here.
func confineThread(string) {}

// harden has no means here.
func harden() error { return nil }

// limitMemory has no means here; the worker watches its memory itself.
func limitMemory(int, int64) error { return nil }
