//go:build unix

package command

import (
	"errors"
	"os"
	"syscall"
)

// newGroup puts a process into a group of its own.
func newGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// endGroup tells all processes of a group to end.
func endGroup(p *os.Process) error {
	if err := syscall.Kill(-p.Pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	return nil
}

// killGroup ends what is left of a group. The first process of a container inherits orphans, and is the one who has to
// take note of their end.
func killGroup(p *os.Process) {
	if syscall.Kill(-p.Pid, syscall.SIGKILL) != nil {
		return // mostly nothing is left
	}
	for {
		if _, err := syscall.Wait4(-p.Pid, nil, 0, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			return // no child of this process, or no more
		}
	}
}
