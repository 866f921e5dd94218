package helm

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/fairlead-cd/fairlead/internal/render"
)

// maxValueFile bounds one value file.
const maxValueFile = 16 << 20

// location is where a file lies that a source names: in a file system, or at a URL.
type location struct {
	stated string // by the user
	fsys   fs.FS
	ref    string // name of the source that the file system is of, if it is another
	name   string
	url    string
}

// String names the place for errors.
func (l location) String() string {
	switch {
	case l.url != "":
		return withoutPassword(l.url)
	case l.ref != "":
		return fmt.Sprintf("%s in the source with ref %s", l.name, l.ref)
	}
	return l.name
}

func withoutPassword(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Redacted()
	}
	return "URL"
}

// same reports whether two locations are one file.
func (l location) same(other location) bool {
	return l.url == other.url && l.ref == other.ref && l.name == other.name
}

func (l location) isGlob() bool { return l.url == "" && strings.ContainsAny(l.name, "*?[") }

// locate finds out where a path or URL leads. Paths are relative to the source's path, or to the root of the repository
// when they begin with a slash, or to another source when they begin with its ref.
func (s *source) locate(stated string) (location, error) {
	l := location{stated: stated, fsys: s.in.Files}
	base := s.dir
	rest := stated
	if first, tail, _ := strings.Cut(stated, "/"); strings.HasPrefix(first, "$") {
		ref := first[1:]
		switch fsys, ok := s.in.Refs[ref]; {
		case ok:
			l.fsys, l.ref, base, rest = fsys, ref, ".", tail
		case isName(ref) && !s.env.Has(ref[:strings.IndexFunc(ref+"-", notInVariable)]):
			return l, fmt.Errorf("%w: %s: no source of the application has the ref %s%s",
				render.ErrInvalidSource, stated, ref, s.knownRefs())
		}
	}
	rest, err := s.env.Expand(rest)
	if err != nil {
		return l, err
	}
	if u, err := url.Parse(rest); err == nil && u.Scheme != "" {
		if !s.schemeAllowed(u.Scheme) {
			return l, fmt.Errorf("%w: %s: the URL scheme '%s' is not allowed; helm.valuesFileSchemes says which are",
				render.ErrInvalidSource, withoutPassword(rest), u.Scheme)
		}
		l.url = rest
		return l, nil
	}
	if strings.HasPrefix(rest, "/") {
		base = "."
	} else if strings.ContainsAny(rest, "*?[") {
		base = escapeGlob(base)
	}
	l.name = path.Join(base, strings.TrimLeft(rest, "/"))
	if !fs.ValidPath(l.name) {
		return l, fmt.Errorf("%w: %s leads out of the repository", render.ErrInvalidSource, stated)
	}
	return l, nil
}

// isName reports whether a text could be a ref.
func isName(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r != '-' && notInVariable(r) })
}

// notInVariable reports whether the name of a variable ends before a character.
func notInVariable(r rune) bool {
	return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
}

func (s *source) knownRefs() string {
	if len(s.in.Refs) == 0 {
		return ""
	}
	return "; known are " + strings.Join(slices.Sorted(maps.Keys(s.in.Refs)), ", ")
}

// escapeGlob takes the meaning from special characters of a folder's name.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`).Replace(name)
}

// valueFiles reads the value files in their order.
func (s *source) valueFiles() ([]ValueFile, error) {
	stated := make([]location, 0, len(s.settings.ValueFiles))
	for _, name := range s.settings.ValueFiles {
		l, err := s.locate(name)
		if err != nil {
			return nil, fmt.Errorf("helm.valueFiles: %w", err)
		}
		stated = append(stated, l)
	}
	found, err := s.expandGlobs(stated)
	if err != nil {
		return nil, fmt.Errorf("helm.valueFiles: %w", err)
	}
	files := make([]ValueFile, 0, len(found))
	for _, l := range found {
		content, err := s.read(l)
		switch {
		case err == nil:
			files = append(files, ValueFile{Name: l.String(), Content: content})
		case s.settings.IgnoreMissingValueFiles && l.url == "" && errors.Is(err, fs.ErrNotExist):
		default:
			return nil, fmt.Errorf("helm.valueFiles: %w", err)
		}
	}
	return files, nil
}

// expandGlobs puts the files that a pattern matches in its place. A file that is stated by its name stands only there,
// one that several patterns match only where the first of them stands.
func (s *source) expandGlobs(stated []location) ([]location, error) {
	var found []location
	for _, l := range stated {
		if !l.isGlob() {
			found = append(found, l)
			continue
		}
		names, err := doublestar.Glob(l.fsys, l.name, doublestar.WithFilesOnly(), doublestar.WithNoFollow(), doublestar.WithFailOnIOErrors())
		switch {
		case errors.Is(err, doublestar.ErrBadPattern):
			return nil, fmt.Errorf("%w: values file glob %q cannot be read", render.ErrInvalidSource, l.stated)
		case err != nil:
			return nil, fmt.Errorf("values file glob %q: %w", l.stated, err)
		}
		matched := false
		for _, name := range names {
			one := location{stated: l.stated, fsys: l.fsys, ref: l.ref, name: name}
			if info, err := fs.Stat(l.fsys, name); err != nil || info.IsDir() {
				continue
			}
			matched = true
			// A pattern could match itself only as a file's name, which is the same file.
			if !slices.ContainsFunc(stated, func(o location) bool { return !o.isGlob() && o.same(one) }) &&
				!slices.ContainsFunc(found, one.same) {
				found = append(found, one)
			}
		}
		if !matched && !s.settings.IgnoreMissingValueFiles {
			return nil, fmt.Errorf("%w: values file glob %q matched no files in %s", render.ErrInvalidSource, l.stated, place(l))
		}
	}
	return found, nil
}

func place(l location) string {
	if l.ref != "" {
		return "the source with ref " + l.ref
	}
	return "the repository"
}

// read gives a file, decrypted.
func (s *source) read(l location) ([]byte, error) {
	var content []byte
	var err error
	if l.url != "" {
		content, err = s.in.External.Download(s.ctx, l.url)
	} else {
		content, err = s.readFile(l)
	}
	switch {
	case err != nil:
		return nil, err
	case len(content) > maxValueFile:
		return nil, fmt.Errorf("%w: %s has more than %d bytes", render.ErrTooLarge, l, maxValueFile)
	case s.renderer.Decrypt == nil:
		return content, nil
	}
	return s.renderer.Decrypt(s.ctx, s.in, l.String(), content)
}

func (s *source) readFile(l location) ([]byte, error) {
	info, err := fs.Stat(l.fsys, l.name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist: looked for %s in %s: %w", l.stated, l.name, place(l), fs.ErrNotExist)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", l.stated, err)
	case info.IsDir():
		return nil, fmt.Errorf("%w: %s is a folder", render.ErrInvalidSource, l)
	case info.Size() > maxValueFile:
		return nil, fmt.Errorf("%w: %s has more than %d bytes", render.ErrTooLarge, l, maxValueFile)
	}
	return fs.ReadFile(l.fsys, l.name)
}
