package render

import (
	"io/fs"
)

// Noting is a file system that notes what is looked at, such as a Memo gives to its Renderer. One who reads ahead for
// somebody else reads behind it, and notes what the other has really looked at.
type Noting interface {
	fs.FS
	// Behind is the same file system, without notes.
	Behind() fs.FS
	// Note notes a look at a name as if it were done now.
	Note(look Look, name string)
}

// Look is a way to look at a name.
type Look byte

// Looks are at what [fs.Stat] and [fs.Lstat] say, the names in a folder, the content of a file, and all below a folder
// ([ReadTree]).
const (
	LookInfo Look = iota
	LookLink
	LookNames
	LookContent
	LookTree
	looks
)

// Valid reports whether there is such a way.
func (l Look) Valid() bool { return l < looks }

var _ Noting = (*recorder)(nil)

// Behind implements Noting.
func (r *recorder) Behind() fs.FS { return r.fsys }

// Note implements Noting.
func (r *recorder) Note(look Look, name string) {
	// What these give, and whether that is an error, has been seen already.
	switch look {
	case LookInfo:
		_, _ = r.Stat(name)
	case LookLink:
		_, _ = r.Lstat(name)
	case LookNames:
		_, _ = r.ReadDir(name)
	case LookContent, LookTree:
		info, err := fs.Stat(r.fsys, name)
		if err != nil {
			r.noteError(name, err)
			return
		}
		what := seenContent
		if look == LookTree {
			what = seenTree
		}
		r.noteInfo(name, what, info, namesHash{})
	}
}
