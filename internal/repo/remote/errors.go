package remote

import (
	"errors"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/repo"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// reasons are the errors of package source that callers test for, by the names under which they are sent. A name is
// never given to another error: the other side may be of another version.
func reasons() map[string]error {
	return map[string]error{
		"invalid repository": source.ErrInvalidRepository,
		"unreachable":        source.ErrUnreachable,
		"authentication":     source.ErrAuthentication,
		"not found":          source.ErrRepositoryNotFound,
		"empty":              source.ErrEmptyRepository,
		"revision":           source.ErrRevisionNotFound,
		"too large":          source.ErrTooLarge,
		"link outside":       source.ErrLinkOutside,
		"link loop":          source.ErrLinkLoop,
		"submodule":          source.ErrSubmodule,
		"damaged":            source.ErrDamaged,
		"closed":             source.ErrClosed,
	}
}

// wireError is an error as it is sent. The other side makes one of it with the same text, which answers errors.Is and
// errors.As for what callers look for.
type wireError struct {
	// Error is what render.AppendError has written.
	Error []byte
	// Reasons are names of package source's errors.
	Reasons []string `json:",omitempty"`
	// Source is what a *repo.SourceError says beside its text.
	Source *blamed `json:",omitempty"`
}

type blamed struct {
	Index         int
	URL, Revision string
}

func encodeError(err error) *wireError {
	if err == nil {
		return nil
	}
	e := &wireError{}
	var one *repo.SourceError
	if errors.As(err, &one) {
		e.Source = &blamed{one.Index, one.URL, one.Revision}
		err = one.Err
	}
	e.Error = render.AppendError(nil, err)
	for name, reason := range reasons() {
		if errors.Is(err, reason) {
			e.Reasons = append(e.Reasons, name)
		}
	}
	return e
}

// decode gives what encodeError was given, as far as callers can tell.
func (e *wireError) decode() error {
	err, damaged := render.DecodeError(e.Error)
	if damaged != nil {
		return errors.New("the repo component reports an error that cannot be read; both sides have to be of one version")
	}
	if len(e.Reasons) > 0 {
		known := reasons()
		wrapped := &remoteError{error: err}
		for _, name := range e.Reasons {
			if reason, ok := known[name]; ok {
				wrapped.reasons = append(wrapped.reasons, reason)
			}
		}
		err = wrapped
	}
	if e.Source != nil {
		return &repo.SourceError{Index: e.Source.Index, URL: e.Source.URL, Revision: e.Source.Revision, Err: err}
	}
	return err
}

// remoteError is an error of the other side, with what it is of package source.
type remoteError struct {
	error
	reasons []error
}

// Unwrap returns what the error is.
func (e *remoteError) Unwrap() []error { return append([]error{e.error}, e.reasons...) }
