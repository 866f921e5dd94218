package settings

import (
	"cmp"
	"slices"
	"strings"
)

// Repository is what is known about a repository and how to reach it. It holds credentials: never log it.
type Repository struct {
	// URL is the address as it was asked for or registered.
	URL string
	// Name is what users call it; may be "".
	Name string
	// Type is git, helm or oci.
	Type string
	// Project is the project that alone may use it; "" for all.
	Project string
	// Registered tells whether a Secret describes this very repository.
	Registered bool
	// Inherited tells whether the credentials come from a template for many repositories.
	Inherited bool

	Username      string
	Password      string
	BearerToken   string
	SSHPrivateKey string
	// TLSClientCert and TLSClientKey are PEM.
	TLSClientCert string
	TLSClientKey  string
	// CAData are PEM certificates of the authorities to trust for this host; nil means those of the system.
	CAData []byte
	// KnownHosts are the host keys to trust over SSH, in the format of OpenSSH.
	KnownHosts string
	// GitHubAppID and GitHubAppPrivateKey name a GitHub App whose tokens are the password; GitHubAppInstallationID is 0
	// when it is to be found out, GitHubAppBaseURL is the API's, "" for that of github.com.
	GitHubAppID             int64
	GitHubAppInstallationID int64
	GitHubAppPrivateKey     string
	GitHubAppBaseURL        string
	// GCPServiceAccountKey is the JSON key of a Google Cloud service account whose tokens are the password.
	GCPServiceAccountKey string
	// Insecure tells to trust any certificate and any host key.
	Insecure bool
	// InsecureOCIForceHTTP tells to speak plain HTTP with a registry.
	InsecureOCIForceHTTP bool
	// ForceBasicAuth tells to send the password with the first request.
	ForceBasicAuth bool
	// Proxy is the address of a proxy, NoProxy the hosts to reach without it.
	Proxy   string
	NoProxy string
	// EnableLFS and EnableOCI are options of Git and Helm repositories.
	EnableLFS bool
	EnableOCI bool
	// Depth is how many commits of a Git repository are fetched; 0 for all.
	Depth int64
	// WebhookManifestCacheWarmDisabled tells that a webhook is not to render ahead of the comparison.
	WebhookManifestCacheWarmDisabled bool
}

// HasCredentials tells whether something is set with which to authenticate.
func (r Repository) HasCredentials() bool {
	return r.Username != "" || r.Password != "" || r.BearerToken != "" || r.SSHPrivateKey != "" || r.TLSClientCert != "" ||
		r.GitHubAppPrivateKey != "" || r.GCPServiceAccountKey != ""
}

// Repository gives what the Secrets say about a repository for use by a project. A repository registered for the
// project goes before one registered for all; one without credentials of its own inherits those of the template whose
// URL is the longest prefix. A repository that nobody registered may be reached too, with a template's credentials or
// none. The result has no CAData and no KnownHosts: [Store.Repository] adds them.
func (s *Settings) Repository(url, project string) Repository {
	found := Repository{URL: url, Type: "git"}
	wanted := NormalizeURL(url)
	for _, r := range s.Repositories {
		if wanted == "" || NormalizeURL(r.URL) != wanted || r.Project != "" && r.Project != project {
			continue
		}
		own := r.Project == project
		if !found.Registered || own {
			found = r
			found.URL = url
		}
		if own {
			break
		}
	}
	if found.HasCredentials() {
		return found
	}
	if t, ok := s.template(wanted); ok {
		found.inherit(t)
	}
	return found
}

// RepositoryNamed finds the Helm repository or registry that is registered under a name and that a project may use; one
// of the project's own goes before one for all.
func (s *Settings) RepositoryNamed(name, project string) (Repository, bool) {
	found, ok := Repository{}, false
	for _, r := range s.Repositories {
		if r.Name != name || r.Type == "git" || r.Project != "" && r.Project != project {
			continue
		}
		if !ok || r.Project == project {
			found, ok = r, true
		}
	}
	return found, ok
}

// template finds the credentials whose URL is the longest prefix of the normalized address.
func (s *Settings) template(wanted string) (Repository, bool) {
	best, length := Repository{}, 0
	for _, t := range s.templates {
		prefix := NormalizeURL(t.URL)
		if len(prefix) > length && strings.HasPrefix(wanted, prefix) {
			best, length = t, len(prefix)
		}
	}
	return best, length > 0
}

// inherit takes from a template what the repository does not say itself.
func (r *Repository) inherit(t Repository) {
	r.Inherited = true
	r.Username = cmp.Or(r.Username, t.Username)
	r.Password = cmp.Or(r.Password, t.Password)
	r.BearerToken = cmp.Or(r.BearerToken, t.BearerToken)
	r.SSHPrivateKey = cmp.Or(r.SSHPrivateKey, t.SSHPrivateKey)
	r.TLSClientCert = cmp.Or(r.TLSClientCert, t.TLSClientCert)
	r.TLSClientKey = cmp.Or(r.TLSClientKey, t.TLSClientKey)
	r.GitHubAppID = cmp.Or(r.GitHubAppID, t.GitHubAppID)
	r.GitHubAppInstallationID = cmp.Or(r.GitHubAppInstallationID, t.GitHubAppInstallationID)
	r.GitHubAppPrivateKey = cmp.Or(r.GitHubAppPrivateKey, t.GitHubAppPrivateKey)
	r.GitHubAppBaseURL = cmp.Or(r.GitHubAppBaseURL, t.GitHubAppBaseURL)
	r.GCPServiceAccountKey = cmp.Or(r.GCPServiceAccountKey, t.GCPServiceAccountKey)
	r.Proxy = cmp.Or(r.Proxy, t.Proxy)
	r.NoProxy = cmp.Or(r.NoProxy, t.NoProxy)
	r.EnableOCI = cmp.Or(r.EnableOCI, t.EnableOCI)
	r.InsecureOCIForceHTTP = cmp.Or(r.InsecureOCIForceHTTP, t.InsecureOCIForceHTTP)
	r.ForceBasicAuth = cmp.Or(r.ForceBasicAuth, t.ForceBasicAuth)
}

func sortByName(secrets []LabelledSecret) {
	slices.SortFunc(secrets, func(a, b LabelledSecret) int { return cmp.Compare(a.Name, b.Name) })
}

// labelled reads the Secrets of repositories, templates and clusters, in the order of their names so that equal input
// gives equal settings.
func labelled(p *parser, s *Settings, secrets []LabelledSecret) {
	secrets = slices.Clone(secrets)
	sortByName(secrets)
	for _, secret := range secrets {
		switch secret.Type {
		case typeRepository:
			if r, ok := repository(p, secret); ok {
				s.Repositories = append(s.Repositories, r)
			}
		case typeRepoCreds:
			if t, ok := repository(p, secret); ok {
				s.templates = append(s.templates, t)
			}
		case typeCluster:
			if c, ok := cluster(p, secret); ok {
				s.Clusters = append(s.Clusters, c)
			}
		}
	}
}
