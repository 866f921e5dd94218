package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// lock keeps a second instance off dir. The lock ends with the process,
// however it ends.
func lock(dir string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of %s: %w", dir, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		return nil, fmt.Errorf("another devcluster runs on %s; stop it or give another --dir", dir)
	}
	return func() { file.Close() }, nil
}
