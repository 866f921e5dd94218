package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/archive"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/legacy"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// DefaultSocketDir is where plugins have their sockets when nothing else is said.
const DefaultSocketDir = "/home/argocd/cmp-server/plugins"

// ClientOptions are the options of a Client; all but Logger have defaults.
type ClientOptions struct {
	// SocketDir is the folder of the sockets; empty is DefaultSocketDir. It need not exist.
	SocketDir string
	// TempDir is for archives on their way; empty is the system's.
	TempDir string
	// Exclude are patterns of path.Match for files that plugins do not get (reposerver.plugin.tar.exclusions).
	Exclude []string
	// UsePaths sends only the folder that has the source and the paths that the application declares
	// (reposerver.plugin.use.manifest.generate.paths).
	UsePaths bool
	// Timeout is how long a request may take; zero is 60 s.
	Timeout time.Duration
	// MaxMessage bounds an answer, in bytes; zero is 100 MiB.
	MaxMessage int
	// ChunkSize is how much of an archive is sent at once, in bytes; zero is 64 KiB.
	ChunkSize int
	// Limit bounds what is sent; zero fields are those of archive.DefaultLimit.
	Limit archive.Limit
	// AskPass lends credentials to plugins that want them; nil: none do.
	AskPass *askpass.Server
	// Legacy runs plugins of argocd-cm; nil: none are.
	Legacy *legacy.Runner
	// Logger gets what is no error of a request.
	Logger *slog.Logger
}

// Client sends sources to plugins. It is safe for concurrent use.
type Client struct {
	o     ClientOptions
	conns connections
	found discoveries
}

// NewClient makes a Client.
func NewClient(o ClientOptions) *Client {
	if o.SocketDir == "" {
		o.SocketDir = DefaultSocketDir
	}
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	if o.MaxMessage == 0 {
		o.MaxMessage = 100 << 20
	}
	if o.ChunkSize == 0 {
		o.ChunkSize = 64 << 10
	}
	return &Client{o: o, conns: connections{dir: o.SocketDir, maxMessage: o.MaxMessage}}
}

// Close closes the connections to plugins.
func (c *Client) Close() { c.conns.close() }

// Request is one request to plugins.
type Request struct {
	render.PluginCall
	// AppName of the application.
	AppName string
	// Repository names where the files are from.
	Repository string
	// Files of the repository.
	Files fs.FS
	// Paths that the application declares as all that concerns it, relative to the root; see ClientOptions.UsePaths.
	Paths []string
	// Fresh asks for an answer that is not remembered.
	Fresh bool
	// Variables go before the call's own, NAME=value. They are those of the revision, which External.Variable gives.
	Variables []string
	// Credentials of the repository; nil when there are none that git asks for.
	Credentials *askpass.Credentials
}

// environment is what the plugin gets.
func (r *Request) environment() []string { return slices.Concat(r.Variables, r.Env) }

// Names are the names of the plugins that can be asked now.
func (c *Client) Names() ([]string, error) {
	names, err := c.conns.names()
	if err != nil {
		return nil, err
	}
	if c.o.Legacy != nil {
		for _, name := range c.o.Legacy.Names() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// Generate gives the manifests of a source, as YAML documents: of the plugin that the request names, or of the first
// whose rule the source matches.
func (c *Client) Generate(ctx context.Context, req Request) ([]byte, error) {
	if c.isLegacy(req.Name) {
		return c.o.Legacy.Generate(ctx, legacy.Request{
			Name: req.Name, Repository: req.Repository, Files: req.Files, Path: req.Path, Env: req.environment(),
		})
	}
	var manifests []string
	err := c.withPlugin(ctx, req, func(ctx context.Context, s *session) error {
		response := new(protocol.ManifestResponse)
		if err := s.upload(ctx, protocol.MethodGenerate, response); err != nil {
			return err
		}
		manifests = response.Manifests
		return nil
	})
	if err != nil {
		return nil, err
	}
	return joinManifests(manifests), nil
}

// Parameters gives the parameters that the plugin of a source announces.
func (c *Client) Parameters(ctx context.Context, req Request) ([]protocol.Parameter, error) {
	if c.isLegacy(req.Name) {
		return nil, nil
	}
	var parameters []protocol.Parameter
	err := c.withPlugin(ctx, req, func(ctx context.Context, s *session) error {
		response := new(protocol.ParametersResponse)
		if err := s.upload(ctx, protocol.MethodParameters, response); err != nil {
			return err
		}
		parameters = response.Parameters
		return nil
	})
	return parameters, err
}

// isLegacy reports whether a name is that of a plugin of argocd-cm. A sidecar of the same name goes before it.
func (c *Client) isLegacy(name string) bool {
	if name == "" || c.o.Legacy == nil || !slices.Contains(c.o.Legacy.Names(), name) {
		return false
	}
	sidecars, err := c.conns.names()
	return err == nil && !slices.Contains(sidecars, name)
}

// withPlugin calls do with the plugin that a request is for.
func (c *Client) withPlugin(ctx context.Context, req Request, do func(context.Context, *session) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, fmt.Errorf("%w: %v", ErrTimeout, c.o.Timeout))
	defer cancel()
	files := &packed{client: c, req: &req}
	defer files.close()
	if req.Name != "" {
		return c.named(ctx, files, do)
	}
	return c.discovered(ctx, files, do)
}

// joinManifests makes one text of YAML documents out of many. Programs indent JSON with tabs, which YAML does not allow.
func joinManifests(manifests []string) []byte {
	var out bytes.Buffer
	for i, m := range manifests {
		if i > 0 {
			out.WriteString("\n---\n")
		}
		before := out.Len()
		if strings.HasPrefix(strings.TrimSpace(m), "{") && json.Compact(&out, []byte(m)) == nil {
			continue
		}
		out.Truncate(before)
		out.WriteString(m)
	}
	return out.Bytes()
}
