package remote

import (
	"context"
	"errors"
	"io/fs"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// reasons are the errors that callers test for, by the names under which they are sent. A name is never given to
// another error: the other side may be of another version.
func reasons() map[string]error {
	return map[string]error{
		"canceled":                  context.Canceled,
		"deadline exceeded":         context.DeadlineExceeded,
		"not exist":                 fs.ErrNotExist,
		"source/invalid repository": source.ErrInvalidRepository,
		"source/unreachable":        source.ErrUnreachable,
		"source/authentication":     source.ErrAuthentication,
		"source/not found":          source.ErrRepositoryNotFound,
		"source/empty":              source.ErrEmptyRepository,
		"source/revision":           source.ErrRevisionNotFound,
		"source/too large":          source.ErrTooLarge,
		"source/link outside":       source.ErrLinkOutside,
		"source/link loop":          source.ErrLinkLoop,
		"source/submodule":          source.ErrSubmodule,
		"source/damaged":            source.ErrDamaged,
		"source/closed":             source.ErrClosed,
		"render/path":               render.ErrPathNotFound,
		"render/invalid source":     render.ErrInvalidSource,
		"render/invalid manifest":   render.ErrInvalidManifest,
		"render/too large":          render.ErrTooLarge,
		"render/unsupported":        render.ErrUnsupported,
		"render/no external":        render.ErrNoExternal,
	}
}

// remoteError is an error as it is sent, and what the other side makes of it: the same text, which answers errors.Is
// and errors.As for what callers look for.
type remoteError struct {
	Text    string
	Reasons []string `json:",omitempty"`
	// Source is what a *repo.SourceError says beside its text.
	Source *blamed `json:",omitempty"`
	// Manifest and Unsupported are these errors of package render.
	Manifest    *render.ManifestError    `json:",omitempty"`
	Unsupported *render.UnsupportedError `json:",omitempty"`
}

type blamed struct {
	Index         int
	URL, Revision string
}

func encodeError(err error) *remoteError {
	if err == nil {
		return nil
	}
	e := &remoteError{}
	var one *repo.SourceError
	if errors.As(err, &one) {
		e.Source = &blamed{one.Index, one.URL, one.Revision}
		err = one.Err
	}
	e.Text = err.Error()
	for name, reason := range reasons() {
		if errors.Is(err, reason) {
			e.Reasons = append(e.Reasons, name)
		}
	}
	errors.As(err, &e.Manifest)
	errors.As(err, &e.Unsupported)
	return e
}

// error gives what encodeError was given, as far as callers can tell.
func (e *remoteError) error() error {
	if e == nil {
		return nil
	}
	if e.Source != nil {
		return &repo.SourceError{Index: e.Source.Index, URL: e.Source.URL, Revision: e.Source.Revision, Err: e}
	}
	return e
}

func (e *remoteError) Error() string { return e.Text }

// Unwrap returns what the error was tested for on the other side.
func (e *remoteError) Unwrap() []error {
	var errs []error
	if e.Manifest != nil {
		errs = append(errs, e.Manifest)
	}
	if e.Unsupported != nil {
		errs = append(errs, e.Unsupported)
	}
	known := reasons()
	for _, name := range e.Reasons {
		if reason, ok := known[name]; ok {
			errs = append(errs, reason)
		}
	}
	return errs
}
