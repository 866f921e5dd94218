package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// errStream means that a stream is not what it should be.
var errStream = errors.New("invalid stream")

// work is the folder of one request.
type work struct {
	dir string // where the archive was unpacked
	app string // path of the source in it, with slashes
	env []string
}

// receive unpacks what a request sends into a folder of its own. Call remove at the end, also after an error.
func (s *service) receive(ctx context.Context, stream protocol.Stream) (w *work, remove func(), err error) {
	dir, err := os.MkdirTemp(s.o.WorkDir, "")
	if err != nil {
		return nil, func() {}, fmt.Errorf("making a folder for the request: %w", err)
	}
	remove = func() {
		if err := removeAll(dir); err != nil {
			s.o.Logger.Error("the folder of a request could not be removed; it may hold what nobody should see", "folder", dir, "error", err)
		}
	}
	first, err := stream.Recv()
	switch {
	case err != nil:
		return nil, remove, fmt.Errorf("receiving the files: %w", err)
	case first.Metadata == nil:
		return nil, remove, fmt.Errorf("%w: it does not begin with metadata", errStream)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, remove, err
	}
	defer root.Close()
	chunks := &chunkReader{ctx: ctx, stream: stream, hash: sha256.New()}
	unpacking := archive.Unpack(chunks, root, archive.UnpackOptions{PreserveMode: s.o.Config.PreserveFileMode, Limit: s.o.Limit})
	if chunks.err != nil { // what made unpacking fail
		return nil, remove, fmt.Errorf("receiving the files: %w", chunks.err)
	}
	if unpacking != nil {
		return nil, remove, fmt.Errorf("unpacking the files: %w", unpacking)
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(chunks, 1<<20)); err != nil { // padding
		return nil, remove, fmt.Errorf("receiving the files: %w", err)
	}
	if sum := hex.EncodeToString(chunks.hash.Sum(nil)); sum != first.Metadata.Checksum {
		return nil, remove, fmt.Errorf("%w: the checksum of the archive is %s, and should be %s", errStream, sum, first.Metadata.Checksum)
	}
	w = &work{dir: dir, app: path.Clean(first.Metadata.AppRelPath), env: s.environment(first.Metadata.Env)}
	if !fs.ValidPath(w.app) {
		return nil, remove, fmt.Errorf("%w: the path %q of the source is not below the root", errStream, first.Metadata.AppRelPath)
	}
	if info, err := root.Stat(w.app); err != nil || !info.IsDir() {
		return nil, remove, fmt.Errorf("%w: the path %q of the source is no folder of the archive", errStream, w.app)
	}
	return w, remove, nil
}

// path is the folder of the source.
func (w *work) path() string { return filepath.Join(w.dir, filepath.FromSlash(w.app)) }

// environment is that of this process, and what the request adds.
func (s *service) environment(variables []protocol.Variable) []string {
	env := append([]string(nil), s.o.Environ...)
	for _, v := range variables {
		if v.Name == "" || strings.ContainsAny(v.Name, "=\x00") || strings.Contains(v.Value, "\x00") {
			continue
		}
		if v.Name == "GIT_ASKPASS" && s.o.AskPass != "" {
			v.Value = s.o.AskPass
		}
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

// removeAll removes a folder, even if a command has made parts of it unreadable.
func removeAll(dir string) error {
	if err := os.RemoveAll(dir); err == nil {
		return nil
	}
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) //nolint:gosec // a folder that is removed next
		}
		return nil
	})
	return os.RemoveAll(dir)
}

// chunkReader reads the chunks of a stream.
type chunkReader struct {
	ctx    context.Context // of the stream
	stream protocol.Stream
	hash   hash.Hash
	rest   []byte
	err    error // what the stream ended with, if not its end
}

// Read implements io.Reader.
func (c *chunkReader) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if err := c.ctx.Err(); err != nil {
			c.err = err
			return 0, err
		}
		m, err := c.stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return 0, io.EOF
		case err != nil:
			c.err = err
			return 0, err
		case m.Metadata != nil:
			c.err = fmt.Errorf("%w: metadata in the middle", errStream)
			return 0, c.err
		}
		c.rest = m.Chunk
		c.hash.Write(m.Chunk)
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}
