package settings_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/fairlead-cd/fairlead/internal/settings"
)

func TestNormalizeURL(t *testing.T) {
	for sentence, c := range map[string]struct {
		a, b string
		same bool
	}{
		"the suffix does not matter":          {"https://example.com/a/b", "https://example.com/a/b.git", true},
		"case does not matter":                {"https://Example.com/A/b", "https://example.com/a/B", true},
		"blanks around do not matter":         {" https://example.com/a ", "https://example.com/a", true},
		"both forms of SSH are the same":      {"git@example.com:a/b.git", "ssh://git@example.com/a/b", true},
		"the user of SSH matters":             {"git@example.com:a/b", "robot@example.com:a/b", false},
		"a port matters":                      {"ssh://git@example.com:2222/a", "ssh://git@example.com/a", false},
		"HTTPS and SSH are not the same":      {"https://example.com/a", "git@example.com:a", false},
		"a user in HTTPS does not make SSH":   {"https://user@example.com/a", "user@example.com/a", false},
		"different repositories are not same": {"https://example.com/a", "https://example.com/ab", false},
	} {
		t.Run(sentence, func(t *testing.T) {
			if a, b := settings.NormalizeURL(c.a), settings.NormalizeURL(c.b); (a == b) != c.same || a == "" {
				t.Errorf("%q and %q", a, b)
			}
		})
	}
	if got := settings.NormalizeURL("http://[::bad"); got != "" {
		t.Errorf("what is no address gives %q", got)
	}
}

func secretOf(kind, name string, data map[string]string) settings.LabelledSecret {
	s := settings.LabelledSecret{Name: name, Type: kind, Data: map[string][]byte{}}
	for k, v := range data {
		s.Data[k] = []byte(v)
	}
	return s
}

func TestRepository(t *testing.T) {
	s := settings.Parse(settings.Input{Labelled: []settings.LabelledSecret{
		secretOf("repository", "r1", map[string]string{"url": "https://example.com/org/app.git", "username": "global", "password": "p"}),
		secretOf("repository", "r2", map[string]string{"url": "https://example.com/org/app", "username": "scoped", "password": "p", "project": "team", "insecure": "true"}),
		secretOf("repository", "r3", map[string]string{"url": "https://example.com/org/bare", "proxy": "http://proxy:1"}),
		secretOf("repository", "r4", map[string]string{"url": "https://example.com/org/private", "username": "u", "project": "team"}),
		secretOf("repo-creds", "c1", map[string]string{"url": "https://example.com", "username": "short"}),
		secretOf("repo-creds", "c2", map[string]string{"url": "https://example.com/org", "username": "long", "password": "lp", "proxy": "http://other:1", "tlsClientCertData": "crt"}),
		secretOf("repo-creds", "c3", map[string]string{"url": "git@ssh.example.com:org", "sshPrivateKey": "key"}),
		secretOf("repository", "broken", map[string]string{"username": "u"}),
		secretOf("repository", "odd", map[string]string{"url": "https://example.com/odd", "username": "u", "insecure": "perhaps"}),
	}}, nil, nil)
	for sentence, c := range map[string]struct {
		url, project string
		username     string
		holds        func(settings.Repository) bool
	}{
		"a registered repository has its own credentials": {"https://example.com/org/app", "other", "global", func(r settings.Repository) bool { return r.Registered && !r.Inherited && !r.Insecure }},
		"that of the project goes first":                  {"https://EXAMPLE.com/org/app.git", "team", "scoped", func(r settings.Repository) bool { return r.Insecure && r.URL == "https://EXAMPLE.com/org/app.git" }},
		"without own credentials it inherits the longest": {"https://example.com/org/bare", "team", "long", func(r settings.Repository) bool {
			return r.Inherited && r.Registered && r.Proxy == "http://proxy:1" && r.Password == "lp" && r.TLSClientCert == "crt"
		}},
		"a repository of another project is not lent": {"https://example.com/org/private", "other", "long", func(r settings.Repository) bool { return !r.Registered }},
		"an unknown repository gets a template":       {"https://example.com/elsewhere/app", "team", "short", func(r settings.Repository) bool { return r.Inherited && !r.Registered && r.Type == "git" }},
		"an SSH template fits the URL form":           {"ssh://git@ssh.example.com/org/app", "team", "", func(r settings.Repository) bool { return r.SSHPrivateKey == "key" }},
		"nothing known gives no credentials": {"https://elsewhere.example.org/app", "team", "", func(r settings.Repository) bool {
			return !r.HasCredentials() && r.URL == "https://elsewhere.example.org/app"
		}},
		"a flag that cannot be read is false, with a warning": {"https://example.com/odd", "team", "u", func(r settings.Repository) bool { return !r.Insecure }},
	} {
		t.Run(sentence, func(t *testing.T) {
			r := s.Repository(c.url, c.project)
			if r.Username != c.username || !c.holds(r) {
				t.Errorf("%+v", r)
			}
		})
	}
	if len(s.Warnings) != 2 {
		t.Errorf("warnings: %v", s.Warnings)
	}
}

func TestClusters(t *testing.T) {
	s := settings.Parse(settings.Input{Labelled: []settings.LabelledSecret{
		{Name: "c1", Type: "cluster", Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "credentials", "a": "b"}, Data: map[string][]byte{
			"name": []byte("prod-cluster"), "server": []byte("https://prod.example.com/"), "namespaces": []byte("a, b,"), "clusterResources": []byte("true"), "shard": []byte("2"), "project": []byte("team"),
		}},
		{Name: "c2", Type: "cluster"},
	}}, nil, nil)
	if len(s.Clusters) != 1 || len(s.Warnings) != 1 {
		t.Fatalf("%v %v", s.Clusters, s.Warnings)
	}
	c := s.Clusters[0]
	if c.Name != "prod-cluster" || c.Server != "https://prod.example.com" || len(c.Namespaces) != 2 || !c.ClusterResources || *c.Shard != 2 || c.Project != "team" {
		t.Errorf("%+v", c)
	}
	if len(c.Annotations) != 1 {
		t.Errorf("the copy of kubectl is kept: %v", c.Annotations)
	}
}

const pemOne = "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----\n"
const pemTwo = "-----BEGIN CERTIFICATE-----\ndHdv\n-----END CERTIFICATE-----\n"

func TestTrustComesFromTheFolderFirst(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "trust")
	client := fake.NewClientset(
		configMap(settings.TLSCertsConfigMapName, map[string]string{"example.com": pemOne, "other.example.com": pemOne, "bad.example.com": "nothing"}),
		configMap(settings.KnownHostsConfigMapName, map[string]string{"ssh_known_hosts": "from the ConfigMap"}),
		configMap(settings.GPGKeysConfigMapName, map[string]string{"K1": "one"}),
	)
	store := start(t, settings.Options{Client: client, Namespace: ns, TLSDataPath: folder, SSHDataPath: folder, GPGDataPath: folder})
	expect := func(ca, hosts string, keys int) {
		t.Helper()
		r := store.Repository("https://Example.com:8443/a.git", "p")
		if string(r.CAData) != ca || r.KnownHosts != hosts {
			t.Errorf("CA %q, hosts %q", r.CAData, r.KnownHosts)
		}
		if got := store.GPGKeys(); len(got) != keys {
			t.Errorf("keys %v", got)
		}
	}
	expect(pemOne, "from the ConfigMap", 1)
	for range 2 { // the folder may come, go and come again
		must(t, os.MkdirAll(filepath.Join(folder, "..data"), 0o755))
		must(t, os.WriteFile(filepath.Join(folder, "example.com"), []byte(pemTwo), 0o600))
		must(t, os.WriteFile(filepath.Join(folder, "ssh_known_hosts"), []byte("from the folder"), 0o600))
		expect(pemTwo, "from the folder", 3)
		if got := store.CertificateAuthorities("other.example.com"); string(got) != pemOne {
			t.Errorf("a host that the folder lacks has %q", got)
		}
		must(t, os.RemoveAll(folder))
		expect(pemOne, "from the ConfigMap", 1)
	}
	for _, host := range []string{"", "..", "../trust/example.com", "bad.example.com", "unknown.example.com"} {
		if got := store.CertificateAuthorities(host); got != nil {
			t.Errorf("host %q has %q", host, got)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryFieldOfARepositorysSecretIsRead(t *testing.T) {
	all := map[string]string{
		"url": "https://example.com/org/app", "type": "helm", "name": "app", "project": "team",
		"username": "u", "password": "p", "bearerToken": "b", "sshPrivateKey": "k", "tlsClientCertData": "crt", "tlsClientCertKey": "key",
		"githubAppID": "12", "githubAppInstallationID": "34", "githubAppPrivateKey": "pem", "githubAppEnterpriseBaseUrl": "https://example.com/api/v3",
		"gcpServiceAccountKey": `{"client_email":"x"}`, "insecure": "true", "insecureOCIForceHttp": "true", "forceHttpBasicAuth": "true",
		"proxy": "http://proxy.example.com:1", "noProxy": "example.org", "enableLfs": "true", "enableOCI": "true", "depth": "5",
		"webhookManifestCacheWarmDisabled": "true",
	}
	want := settings.Repository{
		URL: "https://example.com/org/app", Type: "helm", Name: "app", Project: "team", Registered: true,
		Username: "u", Password: "p", BearerToken: "b", SSHPrivateKey: "k", TLSClientCert: "crt", TLSClientKey: "key",
		GitHubAppID: 12, GitHubAppInstallationID: 34, GitHubAppPrivateKey: "pem", GitHubAppBaseURL: "https://example.com/api/v3",
		GCPServiceAccountKey: `{"client_email":"x"}`, Insecure: true, InsecureOCIForceHTTP: true, ForceBasicAuth: true,
		Proxy: "http://proxy.example.com:1", NoProxy: "example.org", EnableLFS: true, EnableOCI: true, Depth: 5,
		WebhookManifestCacheWarmDisabled: true,
	}
	s := settings.Parse(settings.Input{Labelled: []settings.LabelledSecret{secretOf("repository", "all", all)}}, nil, nil)
	if diff := cmp.Diff([]settings.Repository{want}, s.Repositories); diff != "" || len(s.Warnings) != 0 {
		t.Errorf("%s\n%v", diff, s.Warnings)
	}

	t.Run("and a template lends what its repositories lack", func(t *testing.T) {
		s := settings.Parse(settings.Input{Labelled: []settings.LabelledSecret{
			secretOf("repo-creds", "hub", map[string]string{
				"url": "https://example.com/org", "githubAppID": "12", "githubAppInstallationID": "34", "githubAppPrivateKey": "pem",
				"githubAppEnterpriseBaseUrl": "https://example.com/api/v3", "gcpServiceAccountKey": "{}", "proxy": "http://proxy.example.com:1",
				"forceHttpBasicAuth": "true",
			}),
			secretOf("repository", "bare", map[string]string{"url": "https://example.com/org/bare", "enableLfs": "true", "enableOCI": "true"}),
		}}, nil, nil)
		want := settings.Repository{
			URL: "https://example.com/org/bare", Type: "git", Registered: true, Inherited: true, EnableLFS: true, EnableOCI: true,
			GitHubAppID: 12, GitHubAppInstallationID: 34, GitHubAppPrivateKey: "pem", GitHubAppBaseURL: "https://example.com/api/v3",
			GCPServiceAccountKey: "{}", Proxy: "http://proxy.example.com:1", ForceBasicAuth: true,
		}
		if diff := cmp.Diff(want, s.Repository("https://example.com/org/bare", "team")); diff != "" || len(s.Warnings) != 0 {
			t.Errorf("%s\n%v", diff, s.Warnings)
		}
	})
	for sentence, c := range map[string]struct {
		data map[string]string
		key  string
		text string
	}{
		"insecureIgnoreHostKey is insecure by another name": {map[string]string{"insecureIgnoreHostKey": "true"}, "", ""},
		"an Azure workload identity is not supported":       {map[string]string{"useAzureWorkloadIdentity": "true"}, "useAzureWorkloadIdentity", "not supported"},
		"an app needs its key":                              {map[string]string{"githubAppID": "1"}, "githubAppPrivateKey", "both"},
		"a key needs its app":                               {map[string]string{"githubAppPrivateKey": "pem"}, "githubAppID", "both"},
		"an id is a number":                                 {map[string]string{"githubAppID": "one", "githubAppPrivateKey": "pem"}, "githubAppID", "whole number"},
		"a depth is not negative":                           {map[string]string{"depth": "-1"}, "depth", "whole number"},
		"the key of a service account is JSON":              {map[string]string{"gcpServiceAccountKey": "s3cret"}, "gcpServiceAccountKey", "JSON"},
		"a type is one of three":                            {map[string]string{"type": "svn"}, "type", "git, helm, oci"},
	} {
		t.Run(sentence, func(t *testing.T) {
			c.data["url"] = "https://example.com/x"
			s := settings.Parse(settings.Input{Labelled: []settings.LabelledSecret{secretOf("repository", "odd", c.data)}}, nil, nil)
			if c.key == "" {
				if len(s.Warnings) != 0 || !s.Repositories[0].Insecure {
					t.Errorf("%v, %+v", s.Warnings, s.Repositories[0])
				}
				return
			}
			found := slices.ContainsFunc(s.Warnings, func(w settings.Warning) bool {
				return w.Object == "Secret odd" && w.Key == c.key && strings.Contains(w.Message, c.text) && !strings.Contains(w.Message, "s3cret")
			})
			if !found || len(s.Repositories) != 1 || s.Repositories[0].HasCredentials() {
				t.Errorf("warnings %v, repositories %+v", s.Warnings, s.Repositories)
			}
		})
	}
}
