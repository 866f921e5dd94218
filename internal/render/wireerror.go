package render

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// wireSentinels are the errors that errors.Is finds on the other side too. Their order is part of the encoding.
func wireSentinels() []error {
	return []error{
		ErrPathNotFound, ErrInvalidSource, ErrInvalidManifest, ErrTooLarge, ErrUnsupported, ErrNoExternal,
		context.Canceled, context.DeadlineExceeded, fs.ErrNotExist, fs.ErrInvalid, fs.ErrPermission, fs.ErrExist,
	}
}

const (
	// maxErrorText bounds the message of an error that crosses between processes.
	maxErrorText = 64 << 10
	// maxErrorTree bounds how many wrapped errors are looked at.
	maxErrorTree = 1000
)

// CrossingErrors are the errors that one side of a conversation between processes sends, and may get back: an error
// that was sent comes back as the same value, wherever the other side has wrapped it. It is safe for concurrent use.
type CrossingErrors struct {
	mu   sync.Mutex
	sent []error
}

// Append writes an error and remembers it.
func (c *CrossingErrors) Append(b []byte, err error) []byte {
	c.mu.Lock()
	c.sent = append(c.sent, err)
	number := len(c.sent)
	c.mu.Unlock()
	return appendError(b, err, []uint64{uint64(number)})
}

// Decode reads an error of the other side.
func (c *CrossingErrors) Decode(encoded []byte) (error, error) {
	crossed, err := decodeError(encoded)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, number := range crossed.numbers {
		if number == 0 || number > uint64(len(c.sent)) {
			return nil, fmt.Errorf("reading an error: %w", packed.ErrDamaged)
		}
		back := c.sent[number-1]
		if back.Error() == crossed.message {
			return back, nil // it comes as it went
		}
		crossed.is = append(crossed.is, back)
	}
	crossed.numbers = nil
	return crossed, nil
}

// AppendError writes an error for the side that has a CrossingErrors.
func AppendError(b []byte, err error) []byte {
	var numbers []uint64
	walkErrors(err, func(one error) {
		if c, ok := one.(*crossedError); ok { //nolint:errorlint // the walk unwraps
			numbers = append(numbers, c.numbers...)
		}
	})
	return appendError(b, err, numbers)
}

// DecodeError reads an error of the side that has a CrossingErrors.
func DecodeError(encoded []byte) (error, error) {
	crossed, err := decodeError(encoded)
	if err != nil {
		return nil, err
	}
	return crossed, nil
}

// crossedError is an error of another process.
type crossedError struct {
	message string
	is      []error
	numbers []uint64 // under which the other side knows errors that are part of it
}

func (e *crossedError) Error() string { return e.message }

// Unwrap gives what the error is.
func (e *crossedError) Unwrap() []error { return e.is }

// walkErrors calls visit for an error and all that it wraps.
func walkErrors(err error, visit func(error)) {
	left := maxErrorTree
	var walk func(error)
	walk = func(err error) {
		if left--; err == nil || left < 0 {
			return
		}
		visit(err)
		switch w := err.(type) { //nolint:errorlint // this is what unwraps
		case interface{ Unwrap() error }:
			walk(w.Unwrap())
		case interface{ Unwrap() []error }:
			for _, one := range w.Unwrap() {
				walk(one)
			}
		}
	}
	walk(err)
}

func appendError(b []byte, err error, numbers []uint64) []byte {
	message := err.Error()
	if len(message) > maxErrorText {
		message = message[:maxErrorText] + " …"
	}
	b = packed.Text(b, message)
	var is uint64
	for i, sentinel := range wireSentinels() {
		if errors.Is(err, sentinel) {
			is |= 1 << i
		}
	}
	b = packed.Uint(b, is)
	var manifest *ManifestError
	found := errors.As(err, &manifest)
	b = packed.Bool(b, found)
	if found {
		b = packed.Text(b, manifest.File)
		b = packed.Int(packed.Int(b, int64(manifest.Line)), int64(manifest.Document))
		b = packed.Text(b, manifest.Problem)
	}
	var unsupported *UnsupportedError
	found = errors.As(err, &unsupported)
	b = packed.Bool(b, found)
	if found {
		b = packed.Text(packed.Text(b, unsupported.What), unsupported.SourceType)
	}
	b = packed.Uint(b, uint64(len(numbers)))
	for _, n := range numbers {
		b = packed.Uint(b, n)
	}
	return b
}

func decodeError(encoded []byte) (*crossedError, error) {
	r := packed.Read(encoded)
	e := &crossedError{message: r.Text()}
	is := r.Uint()
	sentinels := wireSentinels()
	if is >= 1<<len(sentinels) {
		r.Fail()
	}
	for i, sentinel := range sentinels {
		if is&(1<<i) != 0 {
			e.is = append(e.is, sentinel)
		}
	}
	if r.Bool() {
		m := &ManifestError{File: r.Text(), Line: int(r.Int()), Document: int(r.Int()), Problem: r.Text()}
		e.is = append(e.is, m)
	}
	if r.Bool() {
		e.is = append(e.is, &UnsupportedError{What: r.Text(), SourceType: v1alpha1.ApplicationSourceType(r.Text())})
	}
	for range r.Count(1) {
		e.numbers = append(e.numbers, r.Uint())
	}
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("reading an error: %w", err)
	}
	return e, nil
}
