package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/fairlead-cd/fairlead/api/v1alpha1"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/command"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/protocol"
)

// service answers the requests of a repo server.
type service struct{ o Options }

var _ protocol.Plugin = (*service)(nil)

// run runs a command of the plugin in a folder.
func (s *service) run(ctx context.Context, what string, c v1alpha1.Command, dir string, env []string) ([]byte, error) {
	result, err := command.Command{
		Args: line(c), Dir: dir, Env: env, Timeout: s.o.Timeout, Grace: s.o.Grace, MaxOutput: int64(s.o.MaxMessage),
	}.Run(ctx)
	if err != nil {
		return nil, fmt.Errorf("the %s command failed: %w", what, err)
	}
	if result.Errors != "" {
		s.o.Logger.Info("a command has said something", "command", what, "errors", result.Errors)
	}
	return result.Output, nil
}

// Configuration implements protocol.Plugin.
func (s *service) Configuration(context.Context) (*protocol.ConfigurationResponse, error) {
	return &protocol.ConfigurationResponse{
		IsDiscoveryConfigured: s.o.Config.Discover.IsSet(), ProvideGitCreds: s.o.Config.ProvideGitCreds,
	}, nil
}

// Generate implements protocol.Plugin.
func (s *service) Generate(ctx context.Context, stream protocol.Stream) (*protocol.ManifestResponse, error) {
	w, remove, err := s.receive(ctx, stream)
	defer remove()
	if err != nil {
		return nil, err
	}
	if len(s.o.Config.Init.Command) > 0 {
		if _, err := s.run(ctx, "init", s.o.Config.Init, w.path(), w.env); err != nil {
			return nil, err
		}
	}
	out, err := s.run(ctx, "generate", s.o.Config.Generate, w.path(), w.env)
	if err != nil {
		return nil, err
	}
	manifests, err := split(out)
	if err != nil {
		return nil, err
	}
	return &protocol.ManifestResponse{Manifests: manifests}, nil
}

// split makes one JSON text of each document of an output, which may be YAML or JSON.
func split(out []byte) ([]string, error) {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(out), 4096)
	var manifests []string
	for {
		var one json.RawMessage
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			return manifests, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the generate command has printed something that is neither YAML nor JSON, as document %d: %w", len(manifests)+1, err)
		}
		if one = bytes.TrimSpace(one); len(one) > 0 && !bytes.Equal(one, []byte("null")) {
			manifests = append(manifests, string(one))
		}
	}
}

// Match implements protocol.Plugin.
func (s *service) Match(ctx context.Context, stream protocol.Stream) (*protocol.RepositoryResponse, error) {
	w, remove, err := s.receive(ctx, stream)
	defer remove()
	if err != nil {
		return nil, err
	}
	found, err := s.matches(ctx, w)
	if err != nil {
		return nil, err
	}
	return &protocol.RepositoryResponse{IsSupported: found, IsDiscoveryEnabled: s.o.Config.Discover.IsSet()}, nil
}

func (s *service) matches(ctx context.Context, w *work) (bool, error) {
	files := os.DirFS(w.dir)
	d := s.o.Config.Discover
	switch {
	case d.FileName != "":
		pattern, ok := below(w.app, d.FileName)
		if !ok {
			return false, nil
		}
		found, err := fs.Glob(files, pattern)
		return len(found) > 0, err
	case d.Glob != "":
		pattern, ok := below(w.app, d.Glob)
		if !ok {
			return false, nil
		}
		found := false
		err := doublestar.GlobWalk(files, pattern, func(string, fs.DirEntry) error {
			found = true
			return fs.SkipAll
		})
		if errors.Is(err, fs.SkipAll) {
			err = nil
		}
		return found, err
	case len(d.Command.Command) > 0:
		out, err := s.run(ctx, "find", d.Command, w.path(), w.env)
		return len(bytes.TrimRight(out, "\n")) > 0, err
	}
	return false, nil
}

// below makes a pattern of the source's folder one of the root; false when it leads out of the root.
func below(app, pattern string) (string, bool) {
	escaped := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `{`, `\{`).Replace(app)
	pattern = path.Join(escaped, pattern)
	return pattern, pattern != ".." && !strings.HasPrefix(pattern, "../")
}

// Parameters implements protocol.Plugin.
func (s *service) Parameters(ctx context.Context, stream protocol.Stream) (*protocol.ParametersResponse, error) {
	w, remove, err := s.receive(ctx, stream)
	defer remove()
	if err != nil {
		return nil, err
	}
	var found []protocol.Parameter
	if len(s.o.Config.Dynamic.Command) > 0 {
		out, err := s.run(ctx, "parameters", s.o.Config.Dynamic, w.path(), w.env)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(out, &found); err != nil {
			return nil, fmt.Errorf("the parameters command has to print a JSON list of parameters: %w", err)
		}
	}
	return &protocol.ParametersResponse{Parameters: append(found, s.o.Config.Static...)}, nil // of a name the last counts
}
