package sops

import (
	"errors"
	"fmt"
	"strings"
)

// Reasons why an encrypted file cannot be used. Test with errors.Is.
var (
	// ErrNoKey: none of the file's master keys could be used by this project.
	ErrNoKey = errors.New("no key to decrypt it")
	// ErrTampered: the file was changed after it was encrypted.
	ErrTampered = errors.New("it was changed after it was encrypted")
	// ErrMalformed: the file has sops metadata, but cannot be read by them.
	ErrMalformed = errors.New("its sops metadata cannot be used")
)

// Error is a file that cannot be decrypted. It has nothing of the file's content.
type Error struct {
	// File relative to the root of the repository.
	File string
	// Problem is what is wrong, and what to do about it.
	Problem string
	err     error
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s is encrypted with SOPS: %v%s", e.File, e.err, e.Problem)
}

// Unwrap gives the reason.
func (e *Error) Unwrap() error { return e.err }

func malformed(file, format string, args ...any) error {
	return &Error{File: file, Problem: ": " + fmt.Sprintf(format, args...), err: ErrMalformed}
}

// noKey says for whom the file is encrypted, and why none of these keys could be used.
func noKey(file string, refusals []refusal, groups, threshold int) error {
	var b strings.Builder
	if groups > 1 {
		fmt.Fprintf(&b, " (its data key is shared out among %d key groups, of which %d are needed)", groups, threshold)
	}
	b.WriteString(": it is encrypted for ")
	common := len(refusals) > 0
	for _, r := range refusals {
		common = common && r.err.Error() == refusals[0].err.Error()
	}
	for i, r := range refusals {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.key.String())
		if !common {
			fmt.Fprintf(&b, " (%v)", r.err)
		}
	}
	if common {
		fmt.Fprintf(&b, "; %v", refusals[0].err)
	}
	return &Error{File: file, Problem: b.String(), err: ErrNoKey}
}
