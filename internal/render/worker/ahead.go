package worker

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// Most renderers look at little beside the folder of their source. When that is small it goes along with the request, so
// that the worker need not ask for each file; what the renderer really looked at comes back with the result.

// Bounds of what goes along. A folder that has more is asked for as everything else.
const (
	maxAheadNames = 96
	maxAheadBytes = 256 << 10
	maxAheadDepth = 8
)

// maxLooks is how many looks a worker may report. It asks when it has reported so many.
const maxLooks = 1000

// sentFolder is a folder that goes along with a request.
type sentFolder struct {
	dir   string
	files []sentFile // the folder itself is the first
}

// sentFile is a file or a folder in it.
type sentFile struct {
	name    string
	info    fs.FileInfo
	content []byte
}

// errNotAhead means that a folder is left to be asked for.
var errNotAhead = errors.New("not to be read ahead")

// readAhead reads the folder of a source; nil when it is not small, or when there is more to it than files and folders.
func readAhead(fsys fs.FS, src v1alpha1.ApplicationSource) *sentFolder {
	dir := path.Clean(src.Path)
	if src.Chart != "" {
		dir = "."
	}
	if !fs.ValidPath(dir) {
		return nil // which the renderer will say
	}
	f := &sentFolder{dir: dir}
	left := maxAheadBytes
	if err := f.add(fsys, dir, &left, 0); err != nil || !f.files[0].info.IsDir() {
		return nil
	}
	return f
}

func (f *sentFolder) add(fsys fs.FS, name string, left *int, depth int) error {
	info, err := fs.Lstat(fsys, name)
	if err != nil {
		return err
	}
	if !info.IsDir() && !info.Mode().IsRegular() || isElsewhere(info) || depth > maxAheadDepth || len(f.files) >= maxAheadNames {
		return errNotAhead
	}
	one := sentFile{name: name, info: info}
	if !info.IsDir() {
		if one.content, err = fs.ReadFile(fsys, name); err != nil {
			return err
		}
	}
	if *left -= len(one.content) + len(name); *left < 0 {
		return errNotAhead
	}
	f.files = append(f.files, one)
	if !info.IsDir() {
		return nil
	}
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return err
	}
	if len(f.files)+len(entries) > maxAheadNames {
		return errNotAhead // before any of them is read
	}
	prefetch(fsys, name, entries)
	for _, e := range entries {
		if err := f.add(fsys, path.Join(name, e.Name()), left, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// prefetch lets a file system that can do so read the files of a folder in one step.
func prefetch(fsys fs.FS, dir string, entries []fs.DirEntry) {
	all, ok := fsys.(interface{ Prefetch(names []string) })
	if !ok {
		return
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, path.Join(dir, e.Name()))
		}
	}
	all.Prefetch(names)
}

// isElsewhere reports whether a link was followed to get to a file, or it has to be fetched to be read.
func isElsewhere(info fs.FileInfo) bool {
	linked, ok := info.(interface{ Linked() bool })
	remote, canBeRemote := info.(interface{ Remote() bool })
	return ok && linked.Linked() || canBeRemote && remote.Remote()
}

// covers reports whether a name lies in the folder, so that all is known of it, even that it is not there.
func (f *sentFolder) covers(name string) bool {
	return f.dir == "." || name == f.dir || strings.HasPrefix(name, f.dir) && name[len(f.dir)] == '/'
}

func appendSentFolder(b []byte, f *sentFolder) []byte {
	if f == nil {
		return packed.Uint(b, 0)
	}
	b = packed.Text(packed.Uint(b, uint64(len(f.files))), f.dir)
	for _, one := range f.files {
		b = packed.Text(render.AppendInfo(packed.Text(b, one.name), one.info), one.content)
	}
	return b
}

func readSentFolder(r *packed.Reader) *sentFolder {
	n := r.Count(4)
	if n == 0 {
		return nil
	}
	f := &sentFolder{dir: r.Text()}
	for range n {
		f.files = append(f.files, sentFile{name: r.Text(), info: render.ReadInfo(r), content: r.Bytes()})
	}
	return f
}

// look is something that a renderer did with what was sent along.
type look struct {
	how  render.Look
	name string
}

func appendLooks(b []byte, looks []look) []byte {
	b = packed.Uint(b, uint64(len(looks)))
	for _, l := range looks {
		b = packed.Text(append(b, byte(l.how)), l.name)
	}
	return b
}

func readLooks(r *packed.Reader) []look {
	looks := make([]look, 0, r.Count(2))
	for range cap(looks) {
		looks = append(looks, look{render.Look(r.Byte()), r.Text()})
	}
	return looks
}
