package repo

import (
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
	}
}
