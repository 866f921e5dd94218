package repo

import (
	"context"
	"strings"

	"github.com/fairlead-cd/fairlead/internal/render"
	"github.com/fairlead-cd/fairlead/internal/render/plugin"
	"github.com/fairlead-cd/fairlead/internal/render/plugin/askpass"
	"github.com/fairlead-cd/fairlead/internal/settings"
)

// Plugins asks config management plugins; [plugin.Client] implements it.
type Plugins interface {
	Generate(ctx context.Context, req plugin.Request) ([]byte, error)
	Discover(ctx context.Context, req plugin.Request) (string, error)
}

// Generate implements render.External.
func (e *external) Generate(ctx context.Context, call render.PluginCall) ([]byte, error) {
	if e.local.Plugins == nil {
		return e.NoExternal.Generate(ctx, call)
	}
	req := plugin.Request{
		PluginCall: call, AppName: e.req.Name, Repository: e.source.RepoURL, Files: e.at.files,
		Paths:       generatePaths(e.req.GeneratePaths, call.Path),
		Credentials: gitCredentials(e.local.Settings.Repository(e.source.RepoURL, e.req.Project)),
	}
	for _, name := range render.Variables {
		value, err := e.Variable(ctx, name)
		if err != nil {
			return nil, err
		}
		req.Variables = append(req.Variables, name+"="+value)
	}
	return e.local.Plugins.Generate(ctx, req)
}

// Discover implements render.External. The plugin learns nothing of the Application, so that one answer is all
// Applications' of a folder.
func (e *external) Discover(ctx context.Context, dir string) (string, error) {
	if e.local.Plugins == nil {
		return "", nil
	}
	return e.local.Plugins.Discover(ctx, plugin.Request{
		PluginCall: render.PluginCall{Path: dir}, Repository: e.source.RepoURL, Files: e.at.files,
		Paths: generatePaths(e.req.GeneratePaths, dir), Fresh: e.req.NoCache,
	})
}

// gitCredentials are what git would ask for to reach a repository, or nil.
func gitCredentials(r settings.Repository) *askpass.Credentials {
	scheme, _, _ := strings.Cut(strings.ToLower(r.URL), "://")
	if scheme != "https" && scheme != "http" || r.Username == "" && r.Password == "" {
		return nil
	}
	return &askpass.Credentials{Username: r.Username, Password: r.Password, Insecure: r.Insecure}
}
