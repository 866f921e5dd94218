package render

import (
	"errors"
	"fmt"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
)

// Reasons why a source cannot be rendered. Test with errors.Is.
var (
	// ErrPathNotFound: the commit has no folder at the source's path.
	ErrPathNotFound = errors.New("app path does not exist")
	// ErrInvalidSource: the source's settings contradict themselves or cannot be understood.
	ErrInvalidSource = errors.New("invalid source")
	// ErrInvalidManifest: a file is not a manifest that a cluster could take. See ManifestError.
	ErrInvalidManifest = errors.New("invalid manifest")
	// ErrTooLarge: the manifests together, or one after its aliases are expanded, exceed a limit.
	ErrTooLarge = errors.New("manifests are too large")
	// ErrUnsupported: this build has no renderer for the source. See UnsupportedError.
	ErrUnsupported = errors.New("not supported by this build")
)

// UnsupportedError says what cannot be rendered. It is ErrUnsupported.
type UnsupportedError struct {
	// What cannot be rendered, e.g. "Helm charts".
	What string
	// SourceType that was given or found.
	SourceType v1alpha1.ApplicationSourceType
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("rendering %s is %v", e.What, ErrUnsupported)
}

// Unwrap returns ErrUnsupported.
func (e *UnsupportedError) Unwrap() error { return ErrUnsupported }

// ManifestError is a mistake in a file. It is ErrInvalidManifest.
type ManifestError struct {
	// File relative to the root of the repository.
	File string
	// Line in the file, from 1.
	Line int
	// Rendered says that Line is not one of the file, but of what was rendered from it.
	Rendered bool
	// Document in the file, from 1; zero when the file has only one.
	Document int
	// Problem, and what to do about it.
	Problem string
}

func (e *ManifestError) Error() string {
	where := fmt.Sprintf("%s:%d", e.File, e.Line)
	if e.Rendered {
		where = fmt.Sprintf("%s (line %d as rendered)", e.File, e.Line)
	}
	if e.Document > 0 {
		where += fmt.Sprintf(" (document %d)", e.Document)
	}
	return fmt.Sprintf("%s: %s", where, e.Problem)
}

// Unwrap returns ErrInvalidManifest.
func (e *ManifestError) Unwrap() error { return ErrInvalidManifest }
