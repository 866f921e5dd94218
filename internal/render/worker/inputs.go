package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/packed"
)

// served are the inputs of one request on the parent's side, and what the worker has had of them.
type served struct {
	in        render.Inputs
	external  render.External
	crossing  render.CrossingErrors
	refs      []string
	maxReads  int
	maxServed int64

	mu     sync.Mutex
	reads  int
	bytes  int64
	roots  []fs.FS
	charts []render.Chart
}

func newServed(in render.Inputs, o Options) *served {
	s := &served{
		in: in, external: in.External, refs: slices.Sorted(maps.Keys(in.Refs)), roots: []fs.FS{in.Files},
		maxReads: o.MaxReads, maxServed: o.MaxReadBytes,
	}
	if s.external == nil {
		s.external = render.NoExternal{}
	}
	for _, name := range s.refs {
		s.roots = append(s.roots, in.Refs[name])
	}
	return s
}

// answer answers a question. The error is that the question cannot be understood, or exceeds a limit.
func (s *served) answer(ctx context.Context, id uint64, op operation, r *packed.Reader) ([]byte, error) {
	if err := s.count(0); err != nil {
		return nil, err
	}
	frame := packed.Uint(newFrame(kindAnswer), id)
	begin := len(frame)
	frame = packed.Bool(frame, true)
	var err error
	if op.local() {
		frame, err = s.files(frame, op, r)
	} else {
		frame, err = s.others(ctx, frame, op, r)
	}
	switch {
	case r.Err() != nil || errors.Is(err, errProtocol):
		return nil, fmt.Errorf("%w: %w: question %d", ErrCrashed, errProtocol, op)
	case err != nil:
		frame = s.crossing.Append(packed.Bool(frame[:begin], false), err)
	}
	return frame, s.count(len(frame))
}

// count adds to what was served.
func (s *served) count(bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes == 0 {
		s.reads++
	}
	s.bytes += int64(bytes)
	switch {
	case s.reads > s.maxReads:
		return readsError(fmt.Sprintf("%d files and folders", s.maxReads))
	case s.bytes > s.maxServed:
		return readsError(size(s.maxServed))
	}
	return nil
}

// left is how many bytes may still be served.
func (s *served) left() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.maxServed-s.bytes, 0)
}

func (s *served) root(number uint64) (fs.FS, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number >= uint64(len(s.roots)) {
		return nil, errProtocol
	}
	return s.roots[number], nil
}

// files answers what is asked of a file system.
func (s *served) files(b []byte, op operation, r *packed.Reader) ([]byte, error) {
	fsys, err := s.root(r.Uint())
	name := r.Text()
	if err != nil || r.Err() != nil {
		return b, errProtocol
	}
	if op == opReadTree {
		return s.tree(b, fsys, name, render.TreeLimit{Files: int(r.Int()), Bytes: r.Int()}, r)
	}
	if r.Close() != nil {
		return b, errProtocol
	}
	switch op {
	case opOpen:
		return s.open(b, fsys, name)
	case opStat, opLstat:
		ask := fs.Stat
		if op == opLstat {
			ask = fs.Lstat
		}
		info, err := ask(fsys, name)
		if err != nil {
			return b, err
		}
		return render.AppendInfo(b, info), nil
	case opReadDir:
		entries, err := fs.ReadDir(fsys, name)
		if err != nil {
			return b, err
		}
		b = packed.Uint(b, uint64(len(entries)))
		for _, e := range entries {
			b = packed.Uint(packed.Text(b, e.Name()), uint64(e.Type()))
		}
		return b, nil
	case opReadFile:
		content, err := fs.ReadFile(fsys, name)
		return append(b, content...), err
	case opReadLink:
		target, err := fs.ReadLink(fsys, name)
		return append(b, target...), err
	}
	return b, errProtocol
}

func (s *served) open(b []byte, fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return b, err
	}
	b = render.AppendInfo(b, info)
	if info.IsDir() {
		return packed.Text(b, ""), nil
	}
	content, err := fs.ReadFile(fsys, name)
	return packed.Text(b, content), err
}

func (s *served) tree(b []byte, fsys fs.FS, dir string, limit render.TreeLimit, r *packed.Reader) ([]byte, error) {
	if r.Close() != nil {
		return b, errProtocol
	}
	limit.Files, limit.Bytes = min(limit.Files, s.maxReads), min(limit.Bytes, s.left())
	files, err := render.ReadTree(fsys, dir, limit)
	if err != nil {
		return b, err
	}
	b = packed.Uint(b, uint64(len(files)))
	for _, f := range files {
		b = packed.Text(packed.Uint(packed.Text(b, f.Name), uint64(f.Mode)), f.Content)
	}
	return b, nil
}

// others answers what is asked of the External.
func (s *served) others(ctx context.Context, b []byte, op operation, r *packed.Reader) ([]byte, error) {
	switch op {
	case opVariable:
		value, err := s.external.Variable(ctx, r.Text())
		return append(b, value...), err
	case opHasAPI:
		has, err := s.external.HasAPI(ctx, r.Text())
		return packed.Bool(b, has), err
	case opAPIVersions:
		versions, err := s.external.APIVersions(ctx)
		b = packed.Uint(b, uint64(len(versions)))
		for _, version := range versions {
			b = packed.Text(b, version)
		}
		return b, err
	case opChart:
		return s.chart(ctx, b, r.Bytes())
	case opArchive:
		return s.archive(ctx, b, r.Uint())
	case opRepository:
		return s.repository(ctx, b, r.Text(), r.Text())
	case opDownload:
		content, err := s.external.Download(ctx, r.Text())
		return append(b, content...), err
	case opDataKey:
		key := render.EncryptedDataKey{Type: r.Text(), Key: r.Bytes(), Ciphertext: r.Bytes()}
		if r.Err() != nil {
			return b, errProtocol
		}
		content, err := s.external.DataKey(ctx, key)
		return append(b, content...), err
	case opKeyring:
		id, err := s.external.Keyring(ctx)
		return append(b, id...), err
	case opDiscover:
		name, err := s.external.Discover(ctx, r.Text())
		return append(b, name...), err
	case opGenerate:
		call := render.PluginCall{Name: r.Text(), Path: r.Text(), Parameters: r.Bytes()}
		for range r.Count(1) {
			call.Env = append(call.Env, r.Text())
		}
		if r.Err() != nil {
			return b, errProtocol
		}
		content, err := s.external.Generate(ctx, call)
		return append(b, content...), err
	}
	return b, errProtocol
}

func (s *served) chart(ctx context.Context, b, encoded []byte) ([]byte, error) {
	var ref render.ChartRef
	if err := json.Unmarshal(encoded, &ref); err != nil {
		return b, errProtocol
	}
	chart, err := s.external.Chart(ctx, ref)
	if err != nil {
		return b, err
	}
	s.mu.Lock()
	number := len(s.charts)
	s.charts = append(s.charts, chart)
	s.mu.Unlock()
	return packed.Text(packed.Text(packed.Uint(b, uint64(number)), chart.Version), chart.Digest), nil
}

func (s *served) archive(ctx context.Context, b []byte, number uint64) ([]byte, error) {
	s.mu.Lock()
	known := number < uint64(len(s.charts))
	var chart render.Chart
	if known {
		chart = s.charts[number]
	}
	s.mu.Unlock()
	if !known {
		return b, errProtocol
	}
	if chart.Archive == nil {
		return b, fmt.Errorf("the archive of chart version %s is %w", chart.Version, render.ErrNoExternal)
	}
	content, err := chart.Archive(ctx)
	return append(b, content...), err
}

func (s *served) repository(ctx context.Context, b []byte, url, revision string) ([]byte, error) {
	fsys, err := s.external.Repository(ctx, url, revision)
	if err != nil {
		return b, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.roots = append(s.roots, fsys)
	return packed.Uint(b, uint64(len(s.roots)-1)), nil
}
