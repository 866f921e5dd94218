package render

import (
	"errors"
	"fmt"

	"github.com/fairlead-cd/fairlead/internal/alias"
)

// CheckAliases refuses a YAML text whose aliases would expand to too much, or to themselves, as alias.Check does. It is
// for every foreign text before a library parses it; file names the text for the error.
func CheckAliases(file string, text []byte) error {
	return checkAliases(text, ManifestError{File: file, Line: 1})
}

// CheckFileAliases is CheckAliases for a file that may be anything: one that is not YAML passes, for a parser that takes
// the same library's YAML.
func CheckFileAliases(file string, content []byte) error {
	err := alias.Check(content)
	if errors.Is(err, alias.ErrNotYAML) {
		return nil
	}
	return aliasError(err, ManifestError{File: file, Line: 1})
}

func checkAliases(text []byte, at ManifestError) error { return aliasError(alias.Check(text), at) }

// aliasError says where what alias.Check has found is.
func aliasError(err error, at ManifestError) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, alias.ErrNotYAML):
		return at.syntax(err)
	}
	at.Problem = err.Error()
	if errors.Is(err, alias.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, &at)
	}
	return &at
}
