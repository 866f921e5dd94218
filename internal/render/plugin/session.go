package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// errPacking is in the way of all plugins alike.
var errPacking = errors.New("packing the repository for the plugin")

// packed is the archive of a request, made when it is first needed. It may be sent several times: to find the plugin,
// and then to it.
type packed struct {
	client  *Client
	req     *Request
	root    string
	archive *archive.Archive
}

func (p *packed) get(ctx context.Context) (*archive.Archive, error) {
	if p.archive != nil {
		return p.archive, nil
	}
	p.root = "."
	if p.client.o.UsePaths {
		p.root = commonRoot(p.req.Path, p.req.Paths)
	}
	var err error
	p.archive, err = archive.Pack(ctx, p.client.o.TempDir, archive.Source{
		Files: p.req.Files, Root: p.root, Exclude: p.client.o.Exclude, Limit: p.client.o.Limit,
	})
	if errors.Is(err, archive.ErrTooLarge) {
		err = fmt.Errorf("%w; exclude what plugins do not need (reposerver.plugin.tar.exclusions), or send less (reposerver.plugin.use.manifest.generate.paths)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacking, err)
	}
	return p.archive, nil
}

func (p *packed) close() {
	if p.archive != nil {
		p.archive.Close()
	}
}

// session is a plugin that is being asked.
type session struct {
	conn  *connection
	files *packed
	env   []string
}

// named asks the plugin that the request names, if it has no rule or the source matches it.
func (c *Client) named(ctx context.Context, files *packed, do func(context.Context, *session) error) error {
	name := files.req.Name
	err := c.ask(ctx, name, files, func(ctx context.Context, s *session, can *protocol.ConfigurationResponse) error {
		if can.IsDiscoveryConfigured {
			takes, err := s.matches(ctx)
			if err != nil {
				return err
			}
			if !takes {
				return fmt.Errorf("%w: plugin %q does not take this source: its discovery rule does not match the files at %q", ErrNoPlugin, name, files.req.Path)
			}
		}
		return do(ctx, s)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w named %q; %s", ErrNoPlugin, name, c.describePlugins())
	}
	return err
}

// discovered asks the first plugin whose rule the source matches.
func (c *Client) discovered(ctx context.Context, files *packed, do func(context.Context, *session) error) error {
	names, err := c.conns.names()
	if err != nil {
		return err
	}
	var failures []error
	for _, name := range names {
		taken := false
		err := c.ask(ctx, name, files, func(ctx context.Context, s *session, can *protocol.ConfigurationResponse) error {
			if !can.IsDiscoveryConfigured {
				return nil // has to be named
			}
			takes, err := s.matches(ctx)
			if err != nil || !takes {
				return err
			}
			taken = true
			return do(ctx, s)
		})
		switch {
		case taken:
			return err
		case errors.Is(err, errPacking), err != nil && ctx.Err() != nil:
			return err // so it would be with the others
		case err != nil:
			c.o.Logger.Warn("a plugin could not tell whether it takes a source", "plugin", name, "error", err)
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return fmt.Errorf("%w takes this source, as far as could be found out: %w", ErrNoPlugin, errors.Join(failures...))
	}
	return fmt.Errorf("%w has a discovery rule that matches the files at %q; %s", ErrNoPlugin, files.req.Path, c.describePlugins())
}

// describePlugins says which plugins there are.
func (c *Client) describePlugins() string {
	names, err := c.Names()
	switch {
	case err != nil:
		return err.Error()
	case len(names) == 0:
		return fmt.Sprintf("there are none: no sidecar has a socket in %s", c.o.SocketDir)
	}
	return "there are " + strings.Join(names, ", ")
}

// ask connects to a plugin and calls do with what it can do. A connection that was good once and is not any more is made
// anew.
func (c *Client) ask(ctx context.Context, name string, files *packed, do func(context.Context, *session, *protocol.ConfigurationResponse) error) error {
	for attempt := 0; ; attempt++ {
		conn, err := c.conns.get(name)
		if err != nil {
			return err
		}
		can := new(protocol.ConfigurationResponse)
		err = conn.Invoke(ctx, protocol.MethodConfiguration, &protocol.Empty{}, can)
		if status.Code(err) == codes.Unavailable && attempt == 0 {
			c.conns.put(conn, true)
			continue
		}
		if err != nil {
			c.conns.put(conn, status.Code(err) == codes.Unavailable)
			return translate(ctx, name, err)
		}
		s := &session{conn: conn, files: files, env: files.req.environment()}
		back := c.lend(s, can)
		err = do(ctx, s, can)
		back()
		c.conns.put(conn, errors.Is(err, ErrUnavailable))
		return err
	}
}

// lend gives the plugin access to the credentials of the repository, if it wants that and there are any.
func (c *Client) lend(s *session, can *protocol.ConfigurationResponse) (back func()) {
	if !can.ProvideGitCreds || c.o.AskPass == nil || s.files.req.Credentials == nil {
		return func() {}
	}
	env, back := c.o.AskPass.Lend(*s.files.req.Credentials)
	s.env = append(s.env, env...)
	return back
}

// matches asks the plugin whether it takes the source.
func (s *session) matches(ctx context.Context) (bool, error) {
	response := new(protocol.RepositoryResponse)
	err := s.upload(ctx, protocol.MethodMatch, response)
	return response.IsSupported, err
}

// upload sends the files to a method of the plugin and waits for the answer.
func (s *session) upload(ctx context.Context, method string, response protocol.Message) error {
	files, err := s.files.get(ctx)
	if err != nil {
		return err
	}
	return translate(ctx, s.conn.name, s.send(ctx, method, files, response))
}

func (s *session) send(ctx context.Context, method string, files *archive.Archive, response protocol.Message) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream in any case
	stream, err := s.conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true}, method)
	if err != nil {
		return err
	}
	metadata := &protocol.Metadata{
		AppName: s.files.req.AppName, AppRelPath: inside(s.files.root, s.files.req.Path),
		Checksum: files.Checksum, Size: files.Size,
	}
	for _, one := range s.env {
		if name, value, ok := strings.Cut(one, "="); ok {
			metadata.Env = append(metadata.Env, protocol.Variable{Name: name, Value: value})
		}
	}
	err = stream.SendMsg(&protocol.StreamRequest{Metadata: metadata})
	reader, chunk := files.Reader(), make([]byte, s.files.client.o.ChunkSize)
	for err == nil {
		n, end := io.ReadFull(reader, chunk)
		if n > 0 {
			err = stream.SendMsg(&protocol.StreamRequest{Chunk: chunk[:n]})
		}
		if errors.Is(end, io.EOF) || errors.Is(end, io.ErrUnexpectedEOF) {
			break
		}
		if end != nil {
			return fmt.Errorf("reading the archive: %w", end)
		}
	}
	if err != nil && !errors.Is(err, io.EOF) { // io.EOF: the plugin has ended the stream, and says why
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return stream.RecvMsg(response)
}
