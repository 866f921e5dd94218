package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// prefix is what the names of the files begin with.
const prefix = "new-"

// Write writes a file in a folder and renames it to path, which must be on the same disk. There is the whole file or
// none.
func Write(folder, path string, parts ...[]byte) error {
	f, err := create(folder)
	if err != nil {
		return err
	}
	for _, part := range parts {
		if err == nil {
			_, err = f.Write(part)
		}
	}
	if err == nil {
		err = os.Rename(f.Name(), path) // while it is locked
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return errors.Join(err, f.Close())
}

// create makes a locked file.
func create(folder string) (*os.File, error) {
	for range 100 {
		f, err := os.CreateTemp(folder, prefix)
		if err != nil {
			return nil, err
		}
		if lock(f) == nil && isAt(f, f.Name()) {
			return f, nil
		}
		f.Close() // a Sweep has come between
	}
	return nil, fmt.Errorf("making a file in %s: others remove it again and again", folder)
}

func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

func isAt(f *os.File, path string) bool {
	own, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path) //nolint:gosec // the path of a folder of ours that was listed, or of a file that was just made
	return err == nil && os.SameFile(own, there)
}

// Sweep removes the files of processes that have ended.
func Sweep(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), prefix) {
			sweep(filepath.Join(folder, e.Name()))
		}
	}
}

// SweepAll is Sweep for a folder and all that are below it.
func SweepAll(folder string) {
	filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error { //nolint:errcheck // as far as it goes
		if err == nil && d.Type().IsRegular() && strings.HasPrefix(d.Name(), prefix) {
			sweep(path)
		}
		return nil
	})
}

func sweep(path string) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if lock(f) == nil && isAt(f, path) {
		os.Remove(path)
	}
}
