package source

import (
	"errors"
	"fmt"
	"io/fs"
)

// Reasons why a repository, a revision or a file cannot be had. Test with errors.Is.
var (
	// ErrInvalidRepository: the URL or the credentials cannot be used at all.
	ErrInvalidRepository = errors.New("invalid repository")
	// ErrUnreachable: the server cannot be reached, does not answer in time, or fails. Trying again later may help.
	ErrUnreachable = errors.New("repository is unreachable")
	// ErrAuthentication: the server refuses the credentials.
	ErrAuthentication = errors.New("authentication failed")
	// ErrRepositoryNotFound: the server says that there is no such repository; many say so for missing permission too.
	ErrRepositoryNotFound = errors.New("repository not found")
	// ErrEmptyRepository: the repository has no commit.
	ErrEmptyRepository = errors.New("repository is empty")
	// ErrRevisionNotFound: the repository has no such branch, tag or commit, or no tag meets the constraint.
	ErrRevisionNotFound = errors.New("revision not found")
	// ErrPathNotFound: the commit has no such file or folder. It is fs.ErrNotExist.
	ErrPathNotFound = fs.ErrNotExist
	// ErrTooLarge: a file is larger than Options.MaxFileSize.
	ErrTooLarge = errors.New("file is too large")
	// ErrLinkOutside: a symbolic link leads out of the repository.
	ErrLinkOutside = errors.New("symbolic link leads out of the repository")
	// ErrLinkLoop: symbolic links lead to each other.
	ErrLinkLoop = errors.New("too many levels of symbolic links")
	// ErrSubmodule: the path lies in a submodule that cannot be read; the cause goes with it.
	ErrSubmodule = errors.New("path lies in a submodule that cannot be read")
	// ErrLFS: the server does not give an object of Git LFS, or another one than was asked for.
	ErrLFS = errors.New("git LFS object cannot be had")
	// ErrRepositoryTooLarge: the repository is larger than Options.MaxRepositorySize.
	ErrRepositoryTooLarge = errors.New("repository is too large")
	// ErrDamaged: an object is missing from the mirror or cannot be understood.
	ErrDamaged = errors.New("git object is missing or damaged")
	// ErrClosed: the Mirrors have been closed.
	ErrClosed = errors.New("mirrors are closed")
)

// Error is what the methods of Mirrors return when a repository cannot be used. It answers errors.Is for its Reason and
// for the cause, and contains no secret.
type Error struct {
	// URL of the repository, without user and password.
	URL string
	// Reason is one of the sentinel errors of this package.
	Reason error
	// Detail says what was found, and what to do about it when that is known.
	Detail string
	// Err is the cause, or nil.
	Err error
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("repository %s: %v", e.URL, e.Reason)
	}
	return fmt.Sprintf("repository %s: %v: %s", e.URL, e.Reason, e.Detail)
}

// Unwrap returns the reason and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}
