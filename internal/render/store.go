package render

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// Store keeps results outside of the memory of this process: over a restart, and for other replicas. What it holds are
// rendered objects, secrets among them, so it has to encrypt them. It may lose everything at any time, and answers
// quickly or not at all.
type Store interface {
	// Load gives what was saved last under a key.
	Load(ctx context.Context, key [32]byte) ([]byte, bool)
	// Save keeps a value, which must not be changed any more. It does not wait.
	Save(key [32]byte, value []byte)
}

// storedVersion is the first byte of a stored result.
const storedVersion = 2

// load looks in the store for a result that is right for the inputs, and keeps it.
func (m *Memo) load(ctx context.Context, c call) *variant {
	encoded, ok := m.o.Store.Load(ctx, c.key.request)
	if !ok {
		return nil
	}
	v, err := decodeVariant(encoded)
	if err != nil {
		return nil // as if it were not there; it is replaced by what is rendered now
	}
	v.key = c.key.request
	same := v.roots == c.key.roots
	declared := ""
	if !same && len(c.o.Paths) > 0 {
		declared = declaredID(c.in.Files, c.o.Paths)
	}
	if !v.reads.holds(ctx, c.in, same, declared != "" && declared == v.declared) {
		return nil
	}
	v.roots = c.key.roots
	m.mu.Lock()
	m.stats.Loaded++
	m.mu.Unlock()
	m.keep(v)
	return v
}

// save gives a result to the store.
func (m *Memo) save(v *variant) {
	if encoded, err := appendVariant(nil, v); err == nil {
		m.o.Store.Save(v.key, encoded)
	}
}

// has reports whether anything is kept in memory for a request; m.mu is not held.
func (m *Memo) has(key requestKey) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.kept[key]) > 0
}

func appendVariant(b []byte, v *variant) ([]byte, error) {
	b = append(b, storedVersion)
	b = packed.Text(packed.Text(b, v.roots), v.declared)
	b = packed.Int(b, v.bytes)
	b = appendReadSet(b, v.reads)
	return AppendResult(b, *v.result)
}

func decodeVariant(encoded []byte) (*variant, error) {
	r := packed.Read(encoded)
	if r.Byte() != storedVersion {
		r.Fail()
	}
	v := &variant{roots: r.Text(), declared: r.Text(), bytes: r.Int()}
	v.reads = readReadSet(r)
	result := readResult(r)
	v.result = &result
	// What is kept has to count for something, and not for less than nothing.
	v.bytes = max(v.bytes, int64(len(encoded)))
	if err := r.Close(); err != nil {
		return nil, fmt.Errorf("reading a stored result: %w", err)
	}
	return v, nil
}

func appendReadSet(b []byte, s *readSet) []byte {
	b = packed.Bool(b, s.vague)
	b = appendFileReads(b, s.files)
	b = packed.Uint(b, uint64(len(s.refs)))
	for _, name := range slices.Sorted(maps.Keys(s.refs)) {
		b = appendFileReads(packed.Text(b, name), s.refs[name])
	}
	b = packed.Uint(b, uint64(len(s.repositories)))
	for name, reads := range s.repositories {
		b = appendFileReads(packed.Text(packed.Text(b, name.url), name.revision), reads)
	}
	b = packed.Uint(b, uint64(len(s.answers)))
	for q, answer := range s.answers {
		b = packed.Text(packed.Text(packed.Text(b, q.kind), q.about), answer)
	}
	return b
}

func readReadSet(r *packed.Reader) *readSet {
	s := &readSet{vague: r.Bool(), files: readFileReads(r), answers: map[question]string{}}
	for range r.Count(4) {
		if s.refs == nil {
			s.refs = map[string]*fileReads{}
		}
		name := r.Text()
		s.refs[name] = readFileReads(r)
	}
	for range r.Count(5) {
		if s.repositories == nil {
			s.repositories = map[repositoryName]*fileReads{}
		}
		name := repositoryName{url: r.Text(), revision: r.Text()}
		s.repositories[name] = readFileReads(r)
	}
	for range r.Count(3) {
		q := question{kind: questionKind(r.Text()), about: r.Text()}
		s.answers[q] = r.Text()
	}
	return s
}

func appendFileReads(b []byte, s *fileReads) []byte {
	b = packed.Bool(packed.Text(b, s.root), s.vague)
	b = appendReads(b, s.single)
	b = packed.Uint(b, uint64(len(s.groups)))
	for _, g := range s.groups {
		b = appendReads(packed.Text(packed.Text(b, g.folder), g.id), g.reads)
	}
	return b
}

func readFileReads(r *packed.Reader) *fileReads {
	s := &fileReads{root: r.Text(), vague: r.Bool(), single: readReads(r)}
	for range r.Count(3) {
		s.groups = append(s.groups, readGroup{folder: r.Text(), id: r.Text(), reads: readReads(r)})
	}
	return s
}

func appendReads(b []byte, reads []read) []byte {
	b = packed.Uint(b, uint64(len(reads)))
	for _, one := range reads {
		b = append(packed.Text(b, one.name), byte(one.seen))
		b = packed.Uint(packed.Text(b, one.id), uint64(one.mode))
		b = packed.Bool(b, one.linked)
		if one.seen == seenNames {
			b = append(b, one.names[:]...)
		}
	}
	return b
}

func readReads(r *packed.Reader) []read {
	var reads []read
	for range r.Count(5) {
		one := read{readKey: readKey{name: r.Text(), seen: seen(r.Byte())}, id: r.Text(), mode: fs.FileMode(r.Uint()), linked: r.Bool()}
		if one.seen == seenNames {
			copy(one.names[:], r.Take(len(one.names)))
		}
		if one.seen > seenTree {
			r.Fail()
		}
		if r.Err() != nil {
			return nil
		}
		reads = append(reads, one)
	}
	return reads
}
