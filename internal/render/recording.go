package render

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// recording is Inputs that note everything they are asked.
type recording struct {
	in    Inputs
	files *recorder
	refs  map[string]*recorder
	// declared are the paths that the application declares (CallOptions.Paths).
	declared []string

	mu           sync.Mutex
	repositories map[repositoryName]*recorder
	answers      map[question]string
	vague        bool // an answer failed, so that only asking again will tell
}

// repositoryName is what External.Repository is asked for.
type repositoryName struct{ url, revision string }

// question is one thing that an External was asked, and about what.
type question struct {
	kind  questionKind
	about string
}

type questionKind string

const (
	askVariable    questionKind = "variable"
	askAPI         questionKind = "api"
	askAPIVersions questionKind = "apiVersions"
	askChart       questionKind = "chart"
	askDownload    questionKind = "download"
	askKeyring     questionKind = "keyring"
	askPlugin      questionKind = "plugin"
)

func newRecording(in Inputs) *recording {
	r := &recording{
		in: in, files: newRecorder(in.Files), refs: make(map[string]*recorder, len(in.Refs)),
		repositories: map[repositoryName]*recorder{}, answers: map[question]string{},
	}
	for name, fsys := range in.Refs {
		r.refs[name] = newRecorder(fsys)
	}
	return r
}

// inputs are what the renderer gets.
func (r *recording) inputs() Inputs {
	in := Inputs{Files: r.files, External: recordedExternal{r}}
	if len(r.refs) > 0 {
		in.Refs = make(map[string]fs.FS, len(r.refs))
		for name, recorder := range r.refs {
			in.Refs[name] = recorder
		}
	}
	return in
}

func (r *recording) note(kind questionKind, about, answer string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.vague = true
		return
	}
	r.answers[question{kind, about}] = answer
}

// recordedExternal notes questions and answers.
type recordedExternal struct{ r *recording }

// Variable implements External.
func (e recordedExternal) Variable(ctx context.Context, name string) (string, error) {
	value, err := e.r.in.external().Variable(ctx, name)
	e.r.note(askVariable, name, value, err)
	return value, err
}

// HasAPI implements External.
func (e recordedExternal) HasAPI(ctx context.Context, version string) (bool, error) {
	has, err := e.r.in.external().HasAPI(ctx, version)
	e.r.note(askAPI, version, strconv.FormatBool(has), err)
	return has, err
}

// APIVersions implements External.
func (e recordedExternal) APIVersions(ctx context.Context) ([]string, error) {
	versions, err := e.r.in.external().APIVersions(ctx)
	e.r.note(askAPIVersions, "", sumOf(strings.Join(versions, "\n")), err)
	return versions, err
}

// Chart implements External.
func (e recordedExternal) Chart(ctx context.Context, ref ChartRef) (Chart, error) {
	chart, err := e.r.in.external().Chart(ctx, ref)
	e.r.note(askChart, packChartRef(ref), chart.Digest, err)
	return chart, err
}

// Repository implements External.
func (e recordedExternal) Repository(ctx context.Context, url, revision string) (fs.FS, error) {
	name := repositoryName{url, revision}
	e.r.mu.Lock()
	known := e.r.repositories[name]
	e.r.mu.Unlock()
	if known != nil {
		return known, nil
	}
	fsys, err := e.r.in.external().Repository(ctx, url, revision)
	e.r.mu.Lock()
	defer e.r.mu.Unlock()
	if err != nil {
		e.r.vague = true
		return nil, err
	}
	recorder := newRecorder(fsys)
	e.r.repositories[name] = recorder
	return recorder, nil
}

// Download implements External.
func (e recordedExternal) Download(ctx context.Context, url string) ([]byte, error) {
	content, err := e.r.in.external().Download(ctx, url)
	e.r.note(askDownload, url, sumOf(string(content)), err)
	return content, err
}

// DataKey implements External. What is noted is which keys there are, and not what they gave.
func (e recordedExternal) DataKey(ctx context.Context, key EncryptedDataKey) ([]byte, error) {
	if _, err := e.Keyring(ctx); err != nil {
		return nil, err
	}
	return e.r.in.external().DataKey(ctx, key)
}

// Keyring implements External.
func (e recordedExternal) Keyring(ctx context.Context) (string, error) {
	id, err := e.r.in.external().Keyring(ctx)
	e.r.note(askKeyring, "", id, err)
	return id, err
}

// Generate implements External. A plugin may read whatever lies in the source's folder, and in the paths that the
// application declares, and what it gives depends on things that nobody sees; so these as a whole are what is noted.
func (e recordedExternal) Generate(ctx context.Context, call PluginCall) ([]byte, error) {
	if err := e.r.noteWhole(call.Path); err != nil {
		return nil, err
	}
	for _, declared := range e.r.declared {
		if name, ok := declaredName(declared); ok {
			_ = e.r.noteWhole(name) // that it is absent is noted
		}
	}
	out, err := e.r.in.external().Generate(ctx, call)
	if err != nil {
		e.r.mu.Lock()
		e.r.vague = true
		e.r.mu.Unlock()
	}
	return out, err
}

// Discover implements External. What is noted is the plugin and not the files that its rule may look at: whoever answers
// asks the plugin again only when the folder is another.
func (e recordedExternal) Discover(ctx context.Context, dir string) (string, error) {
	name, err := e.r.in.external().Discover(ctx, dir)
	e.r.note(askPlugin, dir, name, err)
	return name, err
}

// noteWhole notes everything of a file or folder.
func (r *recording) noteWhole(name string) error {
	info, err := fs.Stat(r.in.Files, name)
	if err != nil {
		r.files.noteError(name, err)
		return err
	}
	if info.IsDir() {
		r.files.noteTree(name, info)
	} else {
		r.files.noteInfo(name, seenContent, info, namesHash{})
	}
	return nil
}

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// readSet is everything that a renderer has seen.
type readSet struct {
	files        *fileReads
	refs         map[string]*fileReads
	repositories map[repositoryName]*fileReads
	answers      map[question]string
	// vague: something was seen that cannot be compared, so that only the same roots will do.
	vague bool
}

// finish makes the read set. Nothing may be asked of the recording afterwards.
func (r *recording) finish() *readSet {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &readSet{files: r.files.finish(), answers: r.answers, vague: r.vague}
	s.vague = s.vague || s.files.vague
	for name, recorder := range r.refs {
		reads := recorder.finish()
		if reads.empty() {
			continue
		}
		if s.refs == nil {
			s.refs = map[string]*fileReads{}
		}
		s.refs[name] = reads
		s.vague = s.vague || reads.vague
	}
	for name, recorder := range r.repositories {
		if s.repositories == nil {
			s.repositories = map[repositoryName]*fileReads{}
		}
		s.repositories[name] = recorder.finish()
		s.vague = s.vague || s.repositories[name].vague
	}
	return s
}

// holds reports whether other inputs would show a renderer the same. same says that the roots of the files are known
// to be equal, declared that those files which the application declares are.
func (s *readSet) holds(ctx context.Context, in Inputs, same, declared bool) bool {
	if !same {
		if s.vague || !declared && !s.files.holds(in.Files) {
			return false
		}
		for name, reads := range s.refs {
			fsys, ok := in.Refs[name]
			if !ok || !reads.holds(fsys) {
				return false
			}
		}
	}
	for q, answer := range s.answers {
		now, err := ask(ctx, in.external(), q)
		if err != nil || now != answer {
			return false
		}
	}
	for name, reads := range s.repositories {
		fsys, err := in.external().Repository(ctx, name.url, name.revision)
		if err != nil || rootID(fsys) != reads.root && !reads.holds(fsys) {
			return false
		}
	}
	return true
}

// ask asks a noted question again.
func ask(ctx context.Context, e External, q question) (answer string, err error) {
	switch q.kind {
	case askVariable:
		return e.Variable(ctx, q.about)
	case askAPI:
		has, err := e.HasAPI(ctx, q.about)
		return strconv.FormatBool(has), err
	case askAPIVersions:
		versions, err := e.APIVersions(ctx)
		return sumOf(strings.Join(versions, "\n")), err
	case askChart:
		ref, err := unpackChartRef(q.about)
		if err != nil {
			return "", err
		}
		chart, err := e.Chart(ctx, ref)
		return chart.Digest, err
	case askDownload:
		content, err := e.Download(ctx, q.about)
		return sumOf(string(content)), err
	case askKeyring:
		return e.Keyring(ctx)
	case askPlugin:
		return e.Discover(ctx, q.about)
	}
	return "", fmt.Errorf("unknown question %q", q.kind)
}

// packChartRef makes one text of a reference; a thousand of them are read again for each commit.
func packChartRef(ref ChartRef) string {
	b := packed.Text(packed.Text(nil, ref.Repository), ref.Name)
	return string(packed.Text(packed.Text(b, ref.Version), ref.Digest))
}

func unpackChartRef(text string) (ChartRef, error) {
	r := packed.Read([]byte(text))
	ref := ChartRef{Repository: r.Text(), Name: r.Text(), Version: r.Text(), Digest: r.Text()}
	return ref, r.Close()
}

// bytes is roughly the memory of the set.
func (s *readSet) bytes() int64 {
	n := 192 + s.files.bytes()
	for _, reads := range s.refs {
		n += reads.bytes()
	}
	for _, reads := range s.repositories {
		n += reads.bytes()
	}
	for q, answer := range s.answers {
		n += 96 + int64(len(q.about)+len(answer))
	}
	return n
}

// rootsOf names the content of all files of the inputs, or is empty when that has no identity.
func rootsOf(in Inputs) string {
	id := rootID(in.Files)
	if id == "" || len(in.Refs) == 0 {
		return id
	}
	b := []byte(id)
	for _, name := range slices.Sorted(maps.Keys(in.Refs)) {
		ref := rootID(in.Refs[name])
		if ref == "" {
			return ""
		}
		b = append(append(append(append(b, 0), name...), '='), ref...)
	}
	return string(b)
}
