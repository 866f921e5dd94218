package worker

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Reasons why a request has no result although its renderer did not say so. Test with errors.Is.
var (
	// ErrLimit: rendering the source needs more than it may: time, memory, output or reads.
	ErrLimit = errors.New("rendering exceeds a limit")
	// ErrCrashed: the renderer failed in a way that it must not.
	ErrCrashed = errors.New("rendering crashed")
	// ErrKilled: the worker was ended from outside, more than once.
	ErrKilled = errors.New("the rendering process was ended from outside")
	// ErrClosed: the Pool has been closed.
	ErrClosed = errors.New("the pool of rendering processes is closed")
)

func timeError(limit time.Duration) error {
	return fmt.Errorf("%w: it takes longer than %v; look for endless loops and very large templates, or raise the time limit of rendering",
		ErrLimit, limit)
}

func memoryError(limit int64) error {
	return fmt.Errorf("%w: it needs more than %s of memory; split the source, or raise the memory limit of rendering", ErrLimit, size(limit))
}

func outputError(limit int64) error {
	return fmt.Errorf("%w: the result has more than %s; split the source, or raise the output limit of rendering", ErrLimit, size(limit))
}

func stackError() error {
	return fmt.Errorf("%w: it recurses too deep; look for templates or functions that call themselves without end", ErrLimit)
}

func readsError(what string) error {
	return fmt.Errorf("%w: it reads more than %s of its sources; split the source", ErrLimit, what)
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20 && bytes%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", bytes>>20)
	case bytes >= 1<<10 && bytes%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", bytes>>10)
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// isRuntime reports whether a function is of Go's runtime.
func isRuntime(function string) bool {
	return strings.HasPrefix(function, "runtime.") || strings.HasPrefix(function, "internal/runtime/")
}

// class tells the parent which errors are the worker's own.
type class byte

const (
	classRenderer class = iota
	classLimit
	classCrash
)

func classOf(err error) class {
	switch {
	case errors.Is(err, ErrLimit):
		return classLimit
	case errors.Is(err, ErrCrashed):
		return classCrash
	}
	return classRenderer
}

// restore makes an error that came from a worker one of this package again.
func (c class) restore(err error) error {
	switch c {
	case classLimit:
		return &ownError{err, ErrLimit}
	case classCrash:
		return &ownError{err, ErrCrashed}
	}
	return err
}

// ownError is an error of this package that came from a worker.
type ownError struct {
	error
	is error
}

// Unwrap gives what the error is.
func (e *ownError) Unwrap() []error { return []error{e.error, e.is} }
