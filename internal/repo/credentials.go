package repo

import (
	"context"

	"github.com/fairlead-cd/fairlead/internal/settings"
	"github.com/fairlead-cd/fairlead/internal/source"
)

// ToSource says how to reach a repository that the settings describe, for a project.
func ToSource(r settings.Repository, project string) source.Repository {
	return source.Repository{
		URL: r.URL, Project: project,
		Username: r.Username, Password: r.Password, BearerToken: r.BearerToken,
		SSHPrivateKey: []byte(r.SSHPrivateKey), SSHKnownHosts: []byte(r.KnownHosts),
		TLSClientCert: []byte(r.TLSClientCert), TLSClientKey: []byte(r.TLSClientKey), CAData: r.CAData,
		Insecure: r.Insecure, Proxy: r.Proxy, NoProxy: r.NoProxy,
		GitHubAppID: r.GitHubAppID, GitHubAppInstallationID: r.GitHubAppInstallationID,
		GitHubAppPrivateKey: []byte(r.GitHubAppPrivateKey), GitHubAppBaseURL: r.GitHubAppBaseURL,
		GCPServiceAccountKey: []byte(r.GCPServiceAccountKey),
		EnableLFS:            r.EnableLFS, Depth: r.Depth,
		ForceBasicAuth: r.ForceBasicAuth, OCI: r.EnableOCI, PlainHTTP: r.InsecureOCIForceHTTP,
	}
}

// SubmoduleCredentials gives the lookup of [source.Options]: the repository of a submodule is reached as the settings
// say for the project of the repository that it belongs to.
func SubmoduleCredentials(s Settings) func(ctx context.Context, parent source.Repository, url string) (source.Repository, error) {
	return func(_ context.Context, parent source.Repository, url string) (source.Repository, error) {
		return ToSource(s.Repository(url, parent.Project), parent.Project), nil
	}
}
