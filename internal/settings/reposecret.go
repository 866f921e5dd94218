package settings

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
)

// repository reads the Secret of a repository or of credentials for many. It is not used when it does not say where
// the repository is.
func repository(p *parser, secret LabelledSecret) (Repository, bool) {
	text := func(key string) string { return string(secret.Data[key]) }
	flag := func(key string) bool { return secretFlag(p, secret, key) }
	url := strings.TrimSpace(text("url"))
	if url == "" {
		p.warn("Secret "+secret.Name, "url", "the Secret has no url and is not used; add one or remove the label "+labelSecretType)
		return Repository{}, false
	}
	if NormalizeURL(url) == "" {
		p.warn("Secret "+secret.Name, "url", "the value is not a URL that a repository can have; the Secret is not used")
		return Repository{}, false
	}
	r := Repository{
		URL:                  url,
		Name:                 text("name"),
		Type:                 repositoryType(p, secret),
		Project:              text("project"),
		Registered:           secret.Type == typeRepository,
		Username:             text("username"),
		Password:             text("password"),
		BearerToken:          text("bearerToken"),
		SSHPrivateKey:        text("sshPrivateKey"),
		TLSClientCert:        text("tlsClientCertData"),
		TLSClientKey:         text("tlsClientCertKey"),
		Insecure:             flag("insecure") || flag("insecureIgnoreHostKey"),
		InsecureOCIForceHTTP: flag("insecureOCIForceHttp"),
		ForceBasicAuth:       flag("forceHttpBasicAuth"),
		Proxy:                strings.TrimSpace(text("proxy")),
		NoProxy:              strings.TrimSpace(text("noProxy")),
		EnableLFS:            flag("enableLfs"),
		EnableOCI:            flag("enableOCI"),
		Depth:                secretNumber(p, secret, "depth"),

		WebhookManifestCacheWarmDisabled: flag("webhookManifestCacheWarmDisabled"),
	}
	cloudCredentials(p, secret, &r)
	return r, true
}

func repositoryType(p *parser, secret LabelledSecret) string {
	kind := cmp.Or(strings.TrimSpace(string(secret.Data["type"])), "git")
	switch kind {
	case "git", "helm", "oci":
		return kind
	}
	p.warn("Secret "+secret.Name, "type", "the value is none of git, helm, oci and counts as git")
	return "git"
}

// cloudCredentials reads the credentials that are exchanged for tokens. Those that cannot work are left out with a
// warning, so that the repository is not asked in vain.
func cloudCredentials(p *parser, secret LabelledSecret, r *Repository) {
	text := func(key string) string { return strings.TrimSpace(string(secret.Data[key])) }
	name := "Secret " + secret.Name
	id, key := secretNumber(p, secret, "githubAppID"), text("githubAppPrivateKey")
	switch {
	case id != 0 && key != "":
		r.GitHubAppID, r.GitHubAppPrivateKey = id, key
		r.GitHubAppInstallationID = secretNumber(p, secret, "githubAppInstallationID")
		r.GitHubAppBaseURL = text("githubAppEnterpriseBaseUrl")
	case key != "":
		p.warn(name, "githubAppID", "a githubAppPrivateKey is there, but no githubAppID; both are needed for a GitHub App")
	case id != 0:
		p.warn(name, "githubAppPrivateKey", "a githubAppID is there, but no githubAppPrivateKey; both are needed for a GitHub App")
	}
	if account := text("gcpServiceAccountKey"); account != "" {
		if json.Valid([]byte(account)) {
			r.GCPServiceAccountKey = account
		} else {
			p.warn(name, "gcpServiceAccountKey", "the value is not the JSON key of a service account and is not used")
		}
	}
	if secretFlag(p, secret, "useAzureWorkloadIdentity") {
		p.warn(name, "useAzureWorkloadIdentity", "workload identities of Azure are not supported; use a token as password, or an SSH key")
	}
}

func secretNumber(p *parser, secret LabelledSecret, key string) int64 {
	raw := strings.TrimSpace(string(secret.Data[key]))
	if raw == "" {
		return 0
	}
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil || n < 0 {
		p.warn("Secret "+secret.Name, key, "the value is not a whole number of 0 or more and is not used")
		return 0
	}
	return n
}

func secretFlag(p *parser, secret LabelledSecret, key string) bool {
	raw := strings.TrimSpace(string(secret.Data[key]))
	if raw == "" {
		return false
	}
	v, err := strconv.ParseBool(raw)
	if err != nil {
		p.warn("Secret "+secret.Name, key, "the value is neither true nor false and counts as false")
	}
	return v
}
